"""What fairness costs: plans of rising fairness, their figures in numbers, words, a table and one JSON object."""

from abasto.tradeoff.points import FAIRNESS, GAP, Tradeoff, TradeoffPoint, tradeoff
from abasto.tradeoff.words import step_words, tradeoff_csv, tradeoff_document, tradeoff_lines

__all__ = [
    "FAIRNESS",
    "GAP",
    "Tradeoff",
    "TradeoffPoint",
    "step_words",
    "tradeoff",
    "tradeoff_csv",
    "tradeoff_document",
    "tradeoff_lines",
]
