"""What is asked back when a report is in doubt: one question that a person can answer in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from abasto.facts.kinds import Fact
from abasto.inbox.words import Language

__all__ = ["QUESTIONS", "Doubtful", "Unclear", "Understood", "ask"]


@dataclass(frozen=True, slots=True)
class Understood:
    """A report that can be read in exactly one way: its facts, and each of them in words."""

    facts: tuple[Fact, ...]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A report that is not understood, or in more ways than one: what to ask back, and lines that would be clear."""

    question: str
    suggestions: tuple[str, ...] = ()


QUESTIONS: Mapping[str, Mapping[Language, str]] = {
    "empty": {
        "es": "El mensaje está vacío. ¿Qué hay, y cuánto? Por ejemplo: HARINA 30 KG",
        "en": "The message is empty. What is there, and how much? For example: FLOUR 30 KG",
    },
    "long": {
        "es": "El mensaje es demasiado largo. ¿Puede mandar un informe por línea?",
        "en": "The message is too long. Can you send one report a line?",
    },
    "comma": {
        "es": "En «{text}» la coma puede separar decimales o miles. ¿Cuánto es? Escriba {choices}.",
        "en": 'In "{text}" the comma may mean decimals or thousands. How much is it? Write {choices}.',
    },
    "thousands": {
        "es": "«{text}» puede ser {low} o {high}. ¿Cuál es? Escriba los miles sin punto.",
        "en": '"{text}" may be {low} or {high}. Which is it? Write thousands without a point.',
    },
    "negative": {
        "es": "«{text}» es menos que nada. ¿Cuánto es? Escriba la cantidad sin signo.",
        "en": '"{text}" is less than nothing. How much is it? Write the quantity without a sign.',
    },
    "number": {
        "es": "No entiendo el número «{text}». ¿Cuánto es? Escriba cifras, con punto para los decimales.",
        "en": 'I do not understand the number "{text}". How much is it? Write figures, with a point for decimals.',
    },
    "word": {
        "es": "No entiendo «{text}». ¿Puede escribirlo de otra forma? Por ejemplo: {example}",
        "en": 'I do not understand "{text}". Can you write it another way? For example: {example}',
    },
    "word like": {
        "es": "No entiendo «{text}». ¿Quiso decir {guess}?",
        "en": 'I do not understand "{text}". Did you mean {guess}?',
    },
    "which good": {
        "es": "«{text}» puede ser {choices}. ¿Cuál es?",
        "en": '"{text}" may be {choices}. Which is it?',
    },
    "which site": {
        "es": "«{text}» puede ser {choices}. ¿Qué sitio es?",
        "en": '"{text}" may be {choices}. Which site is it?',
    },
    "site place": {
        "es": "¿Es {site} el sitio que informa? Si es así, escríbalo primero: {example}",
        "en": "Is {site} the site that reports? If so, write it first: {example}",
    },
    "order": {
        "es": "No conozco la orden {text}. ¿Qué código dice la hoja?{open}",
        "en": "I do not know order {text}. Which code is on the sheet?{open}",
    },
    "which order": {
        "es": "¿De qué orden es? Escriba la palabra ORDEN y su código.{open}",
        "en": "Which order is it? Write the word ORDER and its code.{open}",
    },
    "one order": {
        "es": "Hay más de una orden en la línea. ¿Puede mandar una línea por orden?",
        "en": "There is more than one order in the line. Can you send one line for each?",
    },
    "order what": {
        "es": "¿Qué pasó con la orden {code}? Escriba CARGUE ORDEN {code} o RECIBI ORDEN {code}.",
        "en": "What happened to order {code}? Write LOADED ORDER {code} or RECEIVED ORDER {code}.",
    },
    "order state": {
        "es": "La orden {code} ya está {state}. ¿Es otra orden?",
        "en": "Order {code} is {state} already. Is it another order?",
    },
    "order goods": {
        "es": "¿Qué se cargó de la orden {code}, y cuánto? Por ejemplo: {example}",
        "en": "What was loaded of order {code}, and how much? For example: {example}",
    },
    "order rest": {
        "es": "La orden {code} lleva también {rest}. ¿Cuánto llegó? Si nada, escriba NADA DE {first}.",
        "en": "Order {code} also carries {rest}. How much of it arrived? If nothing, write NO {first}.",
    },
    "order site": {
        "es": "La orden {code} va a {target}, y este informe es de {site}. ¿Llegó a {site}? Si es así, escriba: {line}",
        "en": "Order {code} goes to {target}, and this report is from {site}. Did it arrive at {site}? If so: {line}",
    },
    "one site": {
        "es": "Hay más de un sitio en la línea. ¿De cuál es el informe? Escriba una línea por sitio.",
        "en": "There is more than one site in the line. Which one reports? Write one line for each site.",
    },
    "one date": {
        "es": "Hay más de una fecha en la línea. ¿De qué día es? Escriba una línea por día.",
        "en": "There is more than one date in the line. Which day is it about? Write one line for each day.",
    },
    "no date": {
        "es": "«{text}» no es una fecha. ¿De qué día es? Escríbalo como 2026-11-22.",
        "en": '"{text}" is no date. Which day is it? Write it as 2026-11-22.',
    },
    "verbs": {
        "es": "No está claro qué pasó con cada cosa. ¿Puede mandar una línea por cada informe?",
        "en": "It is not clear what happened to which. Can you send a line for each report?",
    },
    "more": {
        "es": "«Viene más» solo se dice al recibir una orden. ¿Qué orden es?",
        "en": '"More to come" is only said of an order that is received. Which order is it?',
    },
    "cause": {
        "es": "Solo una pérdida lleva una causa. ¿Puede mandar el informe sin ella?",
        "en": "Only a loss has a cause. Can you send the report without it?",
    },
    "no good": {
        "es": "¿De qué bien se trata? Por ejemplo: {example}",
        "en": "Which good is it about? For example: {example}",
    },
    "two goods": {
        "es": "Hay más de un bien entre comas: {goods}. ¿Cuánto hay de cada uno? Sepárelos con una coma.",
        "en": "There is more than one good between commas: {goods}. How much of each? Put commas between them.",
    },
    "no quantity": {
        "es": "¿Cuánto es, de {good}? Por ejemplo: {example}",
        "en": "How much {good} is it? For example: {example}",
    },
    "two numbers": {
        "es": "Hay más de un número para {good}: {numbers}. ¿Cuánto es? Por ejemplo: {example}",
        "en": "There is more than one number for {good}: {numbers}. How much is it? For example: {example}",
    },
    "two measures": {
        "es": "Hay más de una medida para {good}: {measures}. ¿En qué se cuenta? Por ejemplo: {example}",
        "en": "There is more than one measure for {good}: {measures}. Which one counts? For example: {example}",
    },
    "measure": {
        "es": "«{measure}» no dice cuánto es, de {good}. ¿Cuánto es, en {choices}?",
        "en": '"{measure}" does not say how much {good} it is. How much is it, in {choices}?',
    },
    "two packs": {
        "es": "«{measure}» de {good} puede ser {choices}. ¿Cuál es?",
        "en": '"{measure}" of {good} may be {choices}. Which is it?',
    },
    "too fine": {
        "es": "{number} {measure} de {good} no se puede guardar: es más fino que una milésima. ¿Cuánto es, redondeado?",
        "en": "{number} {measure} of {good} cannot be kept: it is finer than a thousandth. How much is it, rounded?",
    },
    "too much": {
        "es": "{number} {measure} de {good} es más de lo que se puede guardar. ¿Cuánto es?",
        "en": "{number} {measure} of {good} is more than can be kept. How much is it?",
    },
    "recipe": {
        "es": "{good} se puede hacer con {choices}. ¿Cuántas hornadas, y de qué receta? Por ejemplo: {example}",
        "en": "{good} can be made with {choices}. How many batches, of which recipe? For example: {example}",
    },
    "no recipe": {
        "es": "Ninguna receta hace {good}. ¿Llegó de fuera? Entonces escriba: {example}",
        "en": "No recipe makes {good}. Did it come from outside? Then write: {example}",
    },
    "which recipe": {
        "es": "¿De qué receta son las hornadas? Hay: {choices}. Por ejemplo: {example}",
        "en": "Which recipe are the batches of? There are: {choices}. For example: {example}",
    },
    "no site": {
        "es": "¿De qué sitio es? Escriba el sitio primero: {example}",
        "en": "Which site is it from? Write the site first: {example}",
    },
    "zero": {
        "es": "¿No queda nada de {good} en {site}? Si es así, escriba: {example}",
        "en": "Is there no {good} left at {site}? If so, write: {example}",
    },
    "nothing": {
        "es": "Cero de {good} no es un informe. ¿Cuánto es? Si nada, no lo mande.",
        "en": "Zero of {good} is no report. How much is it? If nothing, leave it out.",
    },
    "which measure": {
        "es": "¿{number} qué, de {good}: {choices}?",
        "en": "{number} what, of {good}: {choices}?",
    },
    "tenfold": {
        "es": "{quantity} de {good} en {site} es mucho: lo más conocido ahí es {most}. Si es así, escriba: {example}",
        "en": "{quantity} of {good} at {site} is a lot: the most known there is {most}. If it is so, write: {example}",
    },
    "order much": {
        "es": "{quantity} de {good} es mucho para la orden {code}, que lleva {most}. Si es así, escriba: {example}",
        "en": "{quantity} of {good} is a lot for order {code}, which has {most}. If it is so, write: {example}",
    },
    "ambiguous": {
        "es": "Esto se puede leer de más de una manera: {choices}. ¿Cuál es?",
        "en": "This can be read in more than one way: {choices}. Which is it?",
    },
}
"""Every question in both languages; the earlier one is asked first where there are several."""

_RANK = {key: place for place, key in enumerate(QUESTIONS)}


class Unclear(Exception):  # noqa: N818 - not an error: a question on its way to whoever asks it
    """A reading that does not hold together; carries what to ask. Never leaves the inbox."""

    def __init__(self, doubt: Doubtful, rank: int) -> None:
        self.doubt = doubt
        self.rank = rank
        super().__init__(doubt.question)


def ask(key: str, language: Language, *suggestions: str, **values: object) -> Unclear:
    """Return the question of this key in a language, with what it is about filled in."""
    question = QUESTIONS[key][language].format(**values)
    return Unclear(Doubtful(question, tuple(dict.fromkeys(suggestions))), _RANK[key])
