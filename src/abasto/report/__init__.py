"""Plans as one self-contained HTML page, and as a view in a notebook: no server, no network, no other file needed."""

from abasto.report.page import render

__all__ = ["render"]
