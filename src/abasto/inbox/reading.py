"""What is known while one line is read: its text, names, day, site and language; and how names are spelled in lines."""

from __future__ import annotations

from dataclasses import dataclass

from abasto.facts.codes import code_of
from abasto.inbox.marks import Mark
from abasto.inbox.names import NameIndex, Names
from abasto.inbox.tokens import folded_words, tokens_of
from abasto.inbox.words import Language

__all__ = ["Reading", "example_of", "quoted", "spelled_good", "spelled_site"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One line on its way to facts; `site` is where it came from, as far as the line does not say."""

    text: str
    names: Names
    date: str
    site: str | None
    language: Language

    def written(self, mark: Mark) -> str:
        """Return what stands in the line where a mark is."""
        tokens = tokens_of(self.text)
        return self.text[tokens[mark.start].start : tokens[mark.end - 1].end]

    def after(self, mark: Mark, words: str) -> str:
        """Return the line with words put in after a mark."""
        end = tokens_of(self.text)[mark.end - 1].end
        return f"{self.text[:end]} {words}{self.text[end:]}"

    def site_called(self, site: str) -> str:
        """Return what people call a site."""
        known = self.names.site(site)
        return (known.name or known.id) if known else site

    def open_orders(self) -> str:
        """Return a few of the orders that may be meant, as the end of a question."""
        codes = [code_of(id) for id, order in self.names.orders.items() if order.status in OPEN][:4]
        words = {"es": "Hay", "en": "There are"}[self.language]
        return f" {words}: {', '.join(codes)}." if codes else ""

    def recipes_named(self) -> str:
        """Return the recipes that there are."""
        return ", ".join(recipe.id for recipe in self.names.recipes[:6]) or "—"

    def batches_example(self) -> str:
        """Return a line that says that batches of a recipe were made."""
        recipe = quoted(self.names.recipes[0].id) if self.names.recipes else "…"
        return {"es": f"HICE 2 HORNADAS {recipe}", "en": f"MADE 2 BATCHES {recipe}"}[self.language]


OPEN = frozenset({"issued", "accepted", "loaded"})


def example_of(reading: Reading, good: str | None = None) -> str:
    """Return a line that would be clear, about a good."""
    names = reading.names
    chosen = good if good is not None else names.goods[0].id if names.goods else None
    if chosen is None:
        return {"es": "HARINA 30 KG", "en": "FLOUR 30 KG"}[reading.language]
    packs = names.packs_of(chosen)
    return f"{spelled_good(names, chosen)} 30 {packs[0].name if packs else names.unit(chosen)}"


def spelled_good(names: Names, good: str) -> str:
    """Return how a good is written in a line so that it is found again: its name, its id, or its id in quotes."""
    known = names.good(good)
    return _spelled(names.good_index, good, known.name if known else "")


def spelled_site(names: Names, site: str) -> str:
    """Return how a site is written in a line so that it is found again."""
    known = names.site(site)
    return _spelled(names.site_index, site, known.name if known else "")


def _spelled(index: NameIndex, id: str, name: str) -> str:
    for written in filter(None, (name, id)):
        words = folded_words(written)
        # Asked without case and accents: a phone may change them.
        if words and index.find(words, "") == (id,) and "\n" not in written and '"' not in written:
            return written
    return quoted(id)


def quoted(text: str) -> str:
    """Return a name in quotes, which is never taken for anything else.

    >>> quoted('5" pipe')
    '"5"" pipe"'
    """
    return '"' + text.replace('"', '""') + '"'
