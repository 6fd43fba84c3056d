"""Tables: a network to and from CSV folders and workbooks, with every problem found, placed and given a remedy."""

from abasto.tables.check import check_network
from abasto.tables.read import check_path, read_network
from abasto.tables.reference import format_reference
from abasto.tables.target import Targets, resolve
from abasto.tables.template import write_template
from abasto.tables.write import write_network, write_plan

__all__ = [
    "Targets",
    "check_network",
    "check_path",
    "format_reference",
    "read_network",
    "resolve",
    "write_network",
    "write_plan",
    "write_template",
]
