"""A shape: the words of a sentence, with the kinds of what stands between them in braces."""

from __future__ import annotations

__all__ = ["Shape"]

Shape = str | tuple[str, str]
"""A pair is for one and for several of `{n}`."""
