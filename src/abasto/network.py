"""What a network is: one frozen row type per table of the format, and `Network`, which holds them all.

The fields' types, bounds, defaults, units and help texts are the only schema: readers, writers, the template workbook,
`abasto check` and the documentation are driven by it. Column names are the format's; where a name is a Python keyword
(`from`) or would say too little (`to`), the attribute is `from_day` and `to_day`, or `from_site` and `to_site`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

__all__ = [
    "TABLES",
    "Column",
    "Cost",
    "Disruption",
    "Fleet",
    "Good",
    "Labour",
    "Lane",
    "Need",
    "Network",
    "NetworkRow",
    "Nutrient",
    "Plant",
    "Ration",
    "RecipeLine",
    "Requirement",
    "Reserve",
    "Row",
    "Site",
    "Stock",
    "Substitute",
    "Supply",
    "TableSchema",
]

DRIVING_HOURS_PER_DAY = 12.0
"""Driving beyond the first 12 hours takes whole further days."""
DEFAULT_SPEED_KM_PER_HOUR = 40.0

Id = Annotated[str, StringConstraints(min_length=1, pattern=r"^\S(?:[\s\S]*\S)?$")]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


def column(
    help: str, *, default: Any = ..., blank: str = "", unit: str = "", refers: str = "", name: str | None = None
) -> Any:
    """Declare a column: its help line, default, what a blank cell means where that is computed, unit, and the table
    whose ids it holds. Without `default` the column is required; `name` is the format's where Python needs another.
    """
    extra: JsonDict = {"blank": blank, "unit": unit, "refers": refers}
    return Field(default, description=help, json_schema_extra=extra, alias=name)


def first_day() -> Any:
    return column("first day it holds, a day number or a date", default=None, blank="day 1", unit="day", name="from")


def last_day() -> Any:
    return column("last day it holds, a day number or a date", default=None, blank="last day", unit="day", name="to")


class Row(BaseModel):
    """A row of a table: frozen, comparable, hashable, with no other fields than its columns."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class NetworkRow(Row):
    """The one row of table `network`: the network's name and the planning horizon."""

    name: Id = column("the network's name")
    start: date = column("the date of day 1")
    days: Annotated[int, Field(ge=1, le=3660)] = column("length of the horizon", unit="days")


class Site(Row):
    """Any place: plant, depot, port, neighbourhood."""

    site: Id = column("id of the place")
    name: str = column("the place's name as people know it", default="", blank="the id")
    lat: Annotated[float, Field(ge=-90, le=90)] | None = column(
        "latitude", default=None, blank="not on the map", unit="degrees north"
    )
    lon: Annotated[float, Field(ge=-180, le=180)] | None = column(
        "longitude", default=None, blank="not on the map", unit="degrees east"
    )
    people: Amount = column("population it serves", default=0.0, unit="people")
    storage_t: Amount | None = column(
        "most it can hold at the end of a day", default=None, blank="unlimited", unit="tonnes"
    )
    network: str = column("the network it belongs to", default="", blank="this one")


class Good(Row):
    """What is planned."""

    good: Id = column("id of the good")
    name: str = column("the good's name as people know it", default="", blank="the id")
    unit: str = column("unit its quantities are in", default="kg")
    kg_per_unit: Amount = column("weight of one unit", default=1.0, unit="kg")
    shelf_life_days: Amount | None = column(
        "days it can be used after the day it is made or taken in", default=None, blank="never spoils", unit="days"
    )
    priority: Amount = column(
        "urgency of a need for it: priority 1 counts ten times priority 2, and so on", default=1.0
    )


class Stock(Row):
    """On hand at the start of day 1; several rows for a site and good are lots."""

    site: Id = column("where it lies", refers="sites")
    good: Id = column("what it is", refers="goods")
    quantity: Amount = column("how much", unit="the good's unit")
    expires: date | None = column("last date it can be used", default=None, blank="as if taken in the day before day 1")


class Supply(Row):
    """May be taken in from outside, at most this much a day; what is not taken stays outside."""

    site: Id = column("where it can be taken in", refers="sites")
    good: Id = column("what", refers="goods")
    quantity: Amount = column("at most", unit="the good's unit a day")
    from_day: int | None = first_day()
    to_day: int | None = last_day()


class Ration(Row):
    """Need per person per day at every site with people."""

    good: Id = column("what", refers="goods")
    quantity: Amount = column("need", unit="the good's unit per person and day")


class Need(Row):
    """Need per day at a site, and how many people it serves; with a ration it is one need."""

    site: Id = column("who needs it", refers="sites")
    good: Id = column("what", refers="goods")
    quantity: Amount = column("need", unit="the good's unit a day")
    from_day: int | None = first_day()
    to_day: int | None = last_day()
    priority: Amount | None = column("urgency", default=None, blank="the good's")
    people: Amount | None = column("people it serves", default=None, blank="the site's, at least 1", unit="people")


class Reserve(Row):
    """Of the stock on hand, kept for the site's own needs and plants: never shipped out."""

    site: Id = column("where it lies", refers="sites")
    good: Id = column("what", refers="goods")
    quantity: Amount = column("how much is kept", unit="the good's unit")


class Substitute(Row):
    """`quantity` units of `substitute` meet the need of one unit of `good`."""

    good: Id = column("the good that is needed", refers="goods")
    substitute: Id = column("the good handed over instead", refers="goods")
    quantity: Positive = column("units of the substitute for one unit of the good", default=1.0)


class Nutrient(Row):
    """Content of a nutrient per unit of a good."""

    good: Id = column("what", refers="goods")
    nutrient: Id = column("id of the nutrient")
    quantity: Amount = column("content", unit="per unit of the good")


class Requirement(Row):
    """Nutrient needed per person per day at every site with people; coverage counts like that of a good."""

    nutrient: Id = column("which nutrient", refers="nutrients")
    quantity: Amount = column("need", unit="per person and day")
    priority: Amount = column("urgency", default=1.0)


class RecipeLine(Row):
    """One good of a recipe, per batch: positive is made, negative is used up."""

    recipe: Id = column("id of the recipe")
    good: Id = column("what is made or used", refers="goods")
    quantity: Number = column("per batch: positive is made, negative is used up", unit="the good's unit")


class Plant(Row):
    """A site that can carry out a recipe, at most so many batches a day."""

    site: Id = column("where", refers="sites")
    recipe: Id = column("which recipe", refers="recipes")
    batches: Amount = column("at most", unit="batches a day")
    hours_per_batch: Amount = column("labour one batch takes", default=0.0, unit="hours")
    from_day: int | None = first_day()
    to_day: int | None = last_day()


class Labour(Row):
    """Working hours a day shared by the site's recipes; a site without rows is unlimited."""

    site: Id = column("where", refers="sites")
    hours: Amount = column("working hours", unit="hours a day")
    from_day: int | None = first_day()
    to_day: int | None = last_day()


class Lane(Row):
    """A way to move goods between two sites."""

    from_site: Id = column("where it starts", refers="sites", name="from")
    to_site: Id = column("where it ends", refers="sites", name="to")
    km: Amount = column("length", default=0.0, unit="km")
    hours: Amount | None = column("driving time one way", default=None, blank="km ÷ 40", unit="hours")
    lead_days: Count | None = column(
        "days until what leaves arrives", default=None, blank="whole 12-hour driving days after the first", unit="days"
    )
    tonnes: Amount | None = column(
        "most it carries in each direction", default=None, blank="unlimited", unit="tonnes a day"
    )
    mode: str = column("kind of way; only fleets of the same mode use it", default="road")
    two_way: bool = column("whether it can be used in both directions", default=True)

    @property
    def travel_hours(self) -> float:
        """Driving time one way in hours: as given, else km ÷ 40."""
        return self.km / DEFAULT_SPEED_KM_PER_HOUR if self.hours is None else self.hours

    @property
    def travel_days(self) -> int:
        """Days between departure and arrival: as given, else the whole 12-hour driving days after the first."""
        if self.lead_days is not None:
            return self.lead_days
        return max(0, math.ceil(self.travel_hours / DRIVING_HOURS_PER_DAY) - 1)


class Fleet(Row):
    """Vehicles of one kind that share a base."""

    fleet: Id = column("id of the fleet")
    site: Id | None = column(
        "base: it serves lanes that start or end there", default=None, blank="any lane of its mode", refers="sites"
    )
    vehicles: Amount = column("how many", unit="vehicles")
    payload_t: Positive = column("most one vehicle carries", unit="tonnes")
    hours_per_day: Amount = column("hours one vehicle works", default=10.0, unit="hours a day")
    handling_hours: Amount = column("loading and unloading, per trip", default=2.0, unit="hours")
    mode: str = column("kind of lane it uses", default="road")
    fuel: Id | None = column("the good it burns", default=None, blank="none is counted", refers="goods")
    fuel_per_km: Amount = column("fuel burnt", default=0.0, unit="the fuel's unit per km")
    from_day: int | None = first_day()
    to_day: int | None = last_day()


class Cost(Row):
    """Money: `buy` per unit taken in, `lane` per tonne moved."""

    kind: Literal["buy", "lane"] = column("what is paid for")
    target: Id = column("site/good for `buy`, from>to for `lane`; * at either place means all")
    quantity: Amount = column("price", unit="money per unit taken in, or per tonne moved")


class Disruption(Row):
    """In a scenario, `left` of the target's capacity remains."""

    scenario: Id = column("id of the scenario")
    kind: Literal["site", "lane", "fleet", "plant", "supply"] = column(
        "what is hit; `site` hits its lanes, plants, fleets and supplies"
    )
    target: Id = column("id, from>to, site/recipe or site/good; * at either place means all")
    from_day: int | None = first_day()
    to_day: int | None = last_day()
    left: Share = column("share of the capacity that remains", default=0.0)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the format as readers, writers, the template and the documentation see it."""

    name: str
    attribute: str
    help: str
    required: bool
    default: Any
    blank: str
    unit: str
    refers: str

    @property
    def default_text(self) -> str:
        """What a blank cell means, in words; empty for required columns."""
        if self.required:
            return ""
        if self.blank:
            return self.blank
        if isinstance(self.default, bool):
            return "yes" if self.default else "no"
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table of the format: its name, row type, and the columns that identify a row (empty: rows may repeat)."""

    name: str
    row: type[Row]
    key: tuple[str, ...]

    @property
    def help(self) -> str:
        """What a row means, one paragraph."""
        return " ".join((self.row.__doc__ or "").split())

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns in the format's order."""
        return tuple(_columns(self.row))


def _columns(row: type[Row]) -> Iterator[Column]:
    for attribute, info in row.model_fields.items():
        extra = info.json_schema_extra
        assert isinstance(extra, dict)
        yield Column(
            name=info.alias or attribute,
            attribute=attribute,
            help=info.description or "",
            required=info.is_required(),
            default=None if info.is_required() else info.default,
            blank=str(extra["blank"]),
            unit=str(extra["unit"]),
            refers=str(extra["refers"]),
        )


TABLES: tuple[TableSchema, ...] = (
    TableSchema("network", NetworkRow, ()),
    TableSchema("sites", Site, ("site",)),
    TableSchema("goods", Good, ("good",)),
    TableSchema("stocks", Stock, ()),
    TableSchema("supplies", Supply, ()),
    TableSchema("rations", Ration, ("good",)),
    TableSchema("needs", Need, ()),
    TableSchema("reserves", Reserve, ("site", "good")),
    TableSchema("substitutes", Substitute, ("good", "substitute")),
    TableSchema("nutrients", Nutrient, ("good", "nutrient")),
    TableSchema("requirements", Requirement, ("nutrient",)),
    TableSchema("recipes", RecipeLine, ("recipe", "good")),
    TableSchema("plants", Plant, ()),
    TableSchema("labour", Labour, ()),
    TableSchema("lanes", Lane, ("from", "to")),
    TableSchema("fleets", Fleet, ("fleet",)),
    TableSchema("costs", Cost, ("kind", "target")),
    TableSchema("disruptions", Disruption, ()),
)
"""Every table of the format, in its order."""


@dataclass(frozen=True)
class Network:
    """A network of sites that share goods: the tables of the format, as tuples of frozen rows.

    >>> from datetime import date
    >>> net = Network("Barrio", date(2026, 11, 22), 7, sites=(Site(site="bakery"), Site(site="school", people=400)))
    >>> net
    <Network "Barrio": 2 sites, 0 goods, 0 lanes, 0 fleets; 400 people; 7 days from 2026-11-22>
    """

    name: str
    start: date
    days: int
    sites: tuple[Site, ...] = ()
    goods: tuple[Good, ...] = ()
    stocks: tuple[Stock, ...] = ()
    supplies: tuple[Supply, ...] = ()
    rations: tuple[Ration, ...] = ()
    needs: tuple[Need, ...] = ()
    reserves: tuple[Reserve, ...] = ()
    substitutes: tuple[Substitute, ...] = ()
    nutrients: tuple[Nutrient, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    recipes: tuple[RecipeLine, ...] = ()
    plants: tuple[Plant, ...] = ()
    labour: tuple[Labour, ...] = ()
    lanes: tuple[Lane, ...] = ()
    fleets: tuple[Fleet, ...] = ()
    costs: tuple[Cost, ...] = ()
    disruptions: tuple[Disruption, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.start, date) or isinstance(self.start, datetime):
            raise TypeError(f"start is {self.start!r}; give the date of day 1, such as date(2026, 11, 22)")
        for schema in TABLES[1:]:
            rows = tuple(getattr(self, schema.name))
            stray = next((row for row in rows if not isinstance(row, schema.row)), None)
            if stray is not None:
                raise TypeError(f"{schema.name} holds {stray!r}; give rows of type {schema.row.__name__}")
            object.__setattr__(self, schema.name, rows)  # a list is taken, and kept as what cannot change

    def rows(self, table: str) -> tuple[Row, ...]:
        """Return the rows of `table`, by the format's name of it."""
        if table == "network":
            return (NetworkRow(name=self.name, start=self.start, days=self.days),)
        if table not in {schema.name for schema in TABLES}:
            raise KeyError(f'the format has no table "{table}"; its tables are {", ".join(one.name for one in TABLES)}')
        rows: tuple[Row, ...] = getattr(self, table)
        return rows

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The names of the scenarios in table `disruptions`, in order of first mention."""
        return tuple(dict.fromkeys(row.scenario for row in self.disruptions))

    @property
    def people(self) -> float:
        """How many people all sites serve together."""
        return sum(site.people for site in self.sites)

    def date_of(self, day: int) -> date:
        """Return the date of a day number (1 is `start`)."""
        return self.start + timedelta(days=day - 1)

    def day_of(self, when: date) -> int:
        """Return the day number of a date (1 is `start`; 0 and less are before it)."""
        return (when - self.start).days + 1

    def __repr__(self) -> str:
        return (
            f'<Network "{self.name}": {len(self.sites)} sites, {len(self.goods)} goods, {len(self.lanes)} lanes, '
            f"{len(self.fleets)} fleets; {self.people:,.0f} people; {self.days} days from {self.start}>"
        )

    def _repr_html_(self) -> str:
        from abasto.report.notebook import network_html  # what a notebook alone shows is loaded by a notebook alone

        return network_html(self)
