"""What would hurt most: everything taken away in turn, ranked by harm, in parallel and with proven limits."""

from abasto.rehearse.drive import Step, rehearse
from abasto.rehearse.losses import KINDS, Loss
from abasto.rehearse.table import Harm, Limits, Rehearsal, pairs_csv, rehearsal_csv

__all__ = ["KINDS", "Harm", "Limits", "Loss", "Rehearsal", "Step", "pairs_csv", "rehearsal_csv", "rehearse"]
