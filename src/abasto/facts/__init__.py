"""Facts: what may be written in a journal, and the one sequence of bytes that says it."""
