"""What messages and forms may name: sites, goods with units and packs, recipes, orders; found without guessing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType

from abasto.inbox.choices import choice_names
from abasto.inbox.tokens import fold_text, folded_words, stems
from abasto.inbox.words import PACK_WORDS, UNITS
from abasto.state.types import OrderRecord

__all__ = ["GoodName", "NameIndex", "Named", "Names", "Pack", "RecipeName", "SiteName"]

_SAME_PACK = {stems((word,)): stems((group[0],)) for group in PACK_WORDS for word in group}


@dataclass(frozen=True, slots=True)
class SiteName:
    """A site: its id, and what people call it."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class GoodName:
    """A good: its id, what people call it, and the unit that its quantities are counted in."""

    id: str
    name: str = ""
    unit: str = "kg"


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack of a good holds so many thousandths of the good's unit: a sack of flour 50,000."""

    good: str
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class RecipeName:
    """A recipe, what a batch of it makes (positive) and uses up (negative), in thousandths of the goods' units."""

    id: str
    lines: tuple[tuple[str, int], ...]


Named = SiteName | GoodName | RecipeName


class NameIndex:
    """Finds things by what a message calls them: as written, else without case and accents, else one for many."""

    def __init__(self, things: Iterable[Named]) -> None:
        self.things = tuple(things)
        self._by_stems: dict[tuple[str, ...], list[tuple[str, Named]]] = {}
        self._ids = {thing.id for thing in self.things}
        self._by_name: dict[str, list[str]] = {}
        self._by_folded: dict[str, list[str]] = {}
        self.longest = 0
        for thing in self.things:
            for name in dict.fromkeys(_names_of(thing)):
                words = folded_words(name)
                self._by_stems.setdefault(stems(words), []).append((name, thing))
                self._by_name.setdefault(name, []).append(thing.id)
                self._by_folded.setdefault(fold_text(name), []).append(thing.id)
                self.longest = max(self.longest, len(words))

    def find(self, words: tuple[str, ...], written: str) -> tuple[str, ...]:
        """Return the ids of what these folded words may name; more than one where they fit several equally well."""
        named = self._by_stems.get(stems(words), ())
        as_written = [thing.id for name, thing in named if name == written]
        folded = [thing.id for name, thing in named if folded_words(name) == words]
        return tuple(dict.fromkeys(as_written or folded or [thing.id for _, thing in named]))

    def find_quoted(self, text: str) -> tuple[str, ...]:
        """Return the ids of what a name in quotes, or in a cell, may mean: exactly as written, else folded."""
        if text in self._ids:
            return (text,)
        return tuple(dict.fromkeys(self._by_name.get(text) or self._by_folded.get(fold_text(text)) or []))

    def find_cell(self, text: str) -> tuple[str, ...]:
        """Return the ids of what a cell may mean: an id, a name, or what a form calls it."""
        return self.find_quoted(text) or self._by_form.get(text, ())

    @cached_property
    def _by_form(self) -> dict[str, tuple[str, ...]]:
        return {form: (id,) for id, form in choice_names(thing.id for thing in self.things).items()}

    def with_word(self, word: str) -> tuple[str, ...]:
        """Return the ids of the things one of whose names contains this folded word, among others."""
        asked = stems((word,))[0]
        found = [t.id for t in self.things if any(asked in stems(folded_words(name)) for name in _names_of(t))]
        return tuple(dict.fromkeys(found))

    def all_names(self) -> list[str]:
        """Return every id and name."""
        return [name for thing in self.things for name in _names_of(thing)]


def _names_of(thing: Named) -> tuple[str, ...]:
    name = "" if isinstance(thing, RecipeName) else thing.name
    return (thing.id, name) if name else (thing.id,)


@dataclass(frozen=True)
class Names:
    """All that a report may name, as the journal knows it.

    `plants` are (site, recipe); `orders` those that are known, by id; `most` the largest quantity, in thousandths,
    that is known of a good at a site: a report of ten times as much is asked back.
    """

    sites: tuple[SiteName, ...] = ()
    goods: tuple[GoodName, ...] = ()
    packs: tuple[Pack, ...] = ()
    recipes: tuple[RecipeName, ...] = ()
    plants: frozenset[tuple[str, str]] = frozenset()
    orders: Mapping[str, OrderRecord] = field(default_factory=lambda: MappingProxyType({}))
    most: Mapping[tuple[str, str], int] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def site_index(self) -> NameIndex:
        """All sites by what they are called."""
        return NameIndex(self.sites)

    @cached_property
    def good_index(self) -> NameIndex:
        """All goods by what they are called."""
        return NameIndex(self.goods)

    @cached_property
    def recipe_index(self) -> NameIndex:
        """All recipes by their ids."""
        return NameIndex(self.recipes)

    @cached_property
    def pack_words(self) -> frozenset[tuple[str, ...]]:
        """The stems of every pack that any good has, and of every unit of a good."""
        own = {stems(folded_words(pack.name)) for pack in self.packs}
        return frozenset(own | {stems(folded_words(good.unit)) for good in self.goods} - {()})

    @cached_property
    def _sites(self) -> dict[str, SiteName]:
        return {site.id: site for site in self.sites}

    @cached_property
    def _goods(self) -> dict[str, GoodName]:
        return {good.id: good for good in self.goods}

    def site(self, id: str) -> SiteName | None:
        """Return the site of this id, if it is known."""
        return self._sites.get(id)

    def good(self, id: str) -> GoodName | None:
        """Return the good of this id, if it is known."""
        return self._goods.get(id)

    def unit(self, good: str) -> str:
        """Return the unit of a good; kg where the good is not known, as in FORMAT."""
        known = self.good(good)
        return known.unit if known else "kg"

    def packs_of(self, good: str) -> tuple[Pack, ...]:
        """Return the packs that are known of a good."""
        return tuple(pack for pack in self.packs if pack.good == good)

    def units_of(self, good: str) -> tuple[str, ...]:
        """Return the unit of a good and its packs."""
        return tuple(dict.fromkeys([self.unit(good), *(pack.name for pack in self.packs_of(good))]))

    def measures(self, good: str, words: tuple[str, ...], written: str) -> frozenset[Fraction]:
        """Return how many thousandths of a good one of this measure may be: none fits, one does, or it is in doubt."""
        asked = stems(words)
        packs = self.packs_of(good)
        found = (
            [pack for pack in packs if pack.name == written]
            or [pack for pack in packs if folded_words(pack.name) == words]
            or [pack for pack in packs if stems(folded_words(pack.name)) == asked]
            or [pack for pack in packs if _same_pack(stems(folded_words(pack.name))) == _same_pack(asked)]
        )
        sizes = {Fraction(pack.quantity) for pack in found}
        unit = self.unit(good)
        if asked == stems(folded_words(unit)):
            sizes.add(Fraction(1000))
        elif len(words) == 1 and words[0] in UNITS:
            dimension, size = UNITS[words[0]]
            own = UNITS.get(fold_text(unit))
            if own is not None and own[0] == dimension:
                sizes.add(1000 * size / own[1])
        return frozenset(sizes)


def _same_pack(asked: tuple[str, ...]) -> tuple[str, ...]:
    return _SAME_PACK.get(asked, asked)
