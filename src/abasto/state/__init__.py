"""State: what the entries of a journal add up to; a pure function of the set of entries."""
