"""The situation: what is known and what is planned, as a coordinator sees it, in the room and on paper.

`situation(state, day, seen=, plan=)` computes all of it, purely: stands (what lies where, how old the figure is, how
many days it lasts), coverage by site and day, alarms with cause, date and the orders that relieve them, first figures
and the map. `plan_changes` tells what a plan does otherwise than the one of the day before. Functions that end in
`_words` say kinds, causes, remedies and relief in a language; the data themselves are without words.
"""

from abasto.situation.alarms import SILENT_AFTER, SOON
from abasto.situation.build import situation
from abasto.situation.changes import PlanChanges, ShipmentChange, plan_changes
from abasto.situation.incoming import is_overdue
from abasto.situation.stands import days_of_supply
from abasto.situation.types import (
    Alarm,
    AlarmKind,
    CoverageRow,
    GoodSupply,
    Headline,
    Knowledge,
    MapLane,
    MapSite,
    Relief,
    Situation,
    Stand,
)
from abasto.situation.words import (
    alarm_words,
    cause_words,
    days_words,
    known_words,
    quantity_words,
    relief_words,
    remedy_words,
    status_words,
    sure_words,
)

__all__ = [
    "SILENT_AFTER",
    "SOON",
    "Alarm",
    "AlarmKind",
    "CoverageRow",
    "GoodSupply",
    "Headline",
    "Knowledge",
    "MapLane",
    "MapSite",
    "PlanChanges",
    "Relief",
    "ShipmentChange",
    "Situation",
    "Stand",
    "alarm_words",
    "cause_words",
    "days_of_supply",
    "days_words",
    "is_overdue",
    "known_words",
    "plan_changes",
    "quantity_words",
    "relief_words",
    "remedy_words",
    "situation",
    "status_words",
    "sure_words",
]
