"""The journal: entries that devices sign, chained and kept, and the stores that keep them."""
