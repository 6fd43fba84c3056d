"""Remedies: what, if there were more of it, would help a plan most, promised by its prices and proven by solving again.

`find_remedies` asks the plan's prices, `verify_remedies` plans once more for each of the best, `with_remedy` changes
the network.
"""

from abasto.remedies.change import with_remedy
from abasto.remedies.find import find_remedies
from abasto.remedies.remedy import Gainer, Kind, Remedy, Verified, shortlist
from abasto.remedies.verify import verify_remedies

__all__ = [
    "Gainer",
    "Kind",
    "Remedy",
    "Verified",
    "find_remedies",
    "shortlist",
    "verify_remedies",
    "with_remedy",
]
