"""What was made: from a quantity of a good, or from batches of a recipe, to all that a recipe makes and uses up."""

from __future__ import annotations

from fractions import Fraction

from abasto.facts.kinds import MOST, GoodsMade, Line
from abasto.inbox.describe import called
from abasto.inbox.names import Names, RecipeName
from abasto.inbox.parts import Part
from abasto.inbox.questions import ask
from abasto.inbox.reading import Reading, spelled_good

__all__ = ["batches_made", "goods_made", "recipes_for", "scaled"]


def recipes_for(names: Names, good: str, site: str) -> tuple[RecipeName, ...]:
    """Return the recipes that make a good: those of the site's plants, or all where the site has none of them."""
    makes = [recipe for recipe in names.recipes if any(one == good and made > 0 for one, made in recipe.lines)]
    here = [recipe for recipe in makes if (site, recipe.id) in names.plants]
    return tuple(here or makes)


def scaled(recipe: RecipeName, batches: Fraction, *, exactly: Line | None = None) -> tuple[Line, ...]:
    """Return what so many batches (a fraction) make and use up, rounded to thousandths; `exactly` is one as it was."""
    lines = [Line(good, round(quantity * batches)) for good, quantity in recipe.lines if round(quantity * batches)]
    if exactly is None:
        return tuple(lines)
    return (exactly, *(line for line in lines if line.good != exactly.good))


def goods_made(reading: Reading, said: Line, *, day: str, site: str) -> GoodsMade:
    """Return that so much of a good was made, if one recipe makes it; the quantity stays exactly as it was said."""
    names, language = reading.names, reading.language
    name = called(names, said.good)
    recipes = recipes_for(names, said.good, site)
    if not recipes:
        words = {"es": "LLEGO", "en": "RECEIVED"}[language]
        raise ask("no recipe", language, good=name, example=f"{words} {spelled_good(names, said.good)} …")
    if len(recipes) > 1:
        choices = " / ".join(recipe.id for recipe in recipes)
        raise ask("recipe", language, good=name, choices=choices, example=reading.batches_example())
    (recipe,) = recipes
    per_batch = sum(quantity for good, quantity in recipe.lines if good == said.good)
    batches = Fraction(said.quantity, per_batch)
    if batches * 1000 > MOST or any(abs(line.quantity) > MOST for line in scaled(recipe, batches)):
        raise ask("too much", language, number=said.quantity // 1000, measure=names.unit(said.good), good=name)
    return GoodsMade(site, recipe.id, round(batches * 1000), scaled(recipe, batches, exactly=said), day)


def batches_made(reading: Reading, part: Part, *, day: str, site: str) -> GoodsMade:
    """Return that so many batches of a recipe were made."""
    names, language = reading.names, reading.language
    ids = {id for mark in part.recipes for id in mark.ids}
    if len(ids) != 1 or part.goods or part.measures or part.lots or part.none:
        raise ask("which recipe", language, choices=reading.recipes_named(), example=reading.batches_example())
    (id,) = ids
    if len(part.numbers) != 1 or not part.numbers[0].number:
        raise ask("no quantity", language, good=id, example=reading.batches_example())
    batches = Fraction(part.numbers[0].number)
    recipe = next(one for one in names.recipes if one.id == id)
    if (batches * 1000).denominator != 1:
        raise ask("too fine", language, number=part.numbers[0].number, measure="", good=id)
    lines = scaled(recipe, batches)
    if batches * 1000 > MOST or any(abs(line.quantity) > MOST for line in lines) or not lines:
        raise ask("too much", language, number=part.numbers[0].number, measure="", good=id)
    return GoodsMade(site, id, int(batches * 1000), lines, day)
