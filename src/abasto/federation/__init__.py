"""Joint plans of several networks without a centre: coarse maps, one clearing that all compute alike, and promises."""
