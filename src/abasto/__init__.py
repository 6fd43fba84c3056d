"""Abasto: fair, checked plans for what to make where and who sends what to whom when normal supply breaks."""
