"""Network → plan: the algorithm, its bound, the reasons for shortages, and the check of every plan."""
