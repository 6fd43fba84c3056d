"""Compare two plans of the same needs: the changes in numbers, and the same in words, tables and one JSON object."""

from abasto.compare.changes import (
    Comparison,
    FleetChange,
    NeedChange,
    PriorityChange,
    Proof,
    SiteChange,
    Totals,
    compare_plans,
    label_of,
)
from abasto.compare.words import comparison_document, comparison_lines, comparison_tables, proof_words

__all__ = [
    "Comparison",
    "FleetChange",
    "NeedChange",
    "PriorityChange",
    "Proof",
    "SiteChange",
    "Totals",
    "compare_plans",
    "comparison_document",
    "comparison_lines",
    "comparison_tables",
    "label_of",
    "proof_words",
]
