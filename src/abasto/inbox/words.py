"""The words of reports in Spanish and English: what happened, units, packs, and words that only join others."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

__all__ = [
    "ARTICLES",
    "FILLERS",
    "LANGUAGES",
    "PACK_WORDS",
    "UNITS",
    "WORDS",
    "Label",
    "Language",
    "ReportKind",
]

Language = Literal["es", "en"]
LANGUAGES: tuple[Language, ...] = ("es", "en")

ReportKind = Literal["count", "received", "handed out", "lost", "spoiled", "made", "loaded", "accepted"]
"""What a report says; `received` with an order is a receipt, without one goods from outside."""

Label = Literal[
    "count", "received", "handed out", "lost", "spoiled", "made", "loaded", "accepted",
    "none", "and", "order", "at", "yes", "more", "because", "expires", "undated", "yesterday", "batches",
]  # fmt: skip
"""What a word or several may stand for."""

WORDS: Mapping[Label, Mapping[Language, tuple[str, ...]]] = {
    "count": {
        "es": ("hay", "tengo", "tenemos", "queda", "quedan", "conte", "contamos", "contado", "recuento", "existencias"),
        "en": ("count", "counted", "have", "we have", "there is", "there are", "stock"),
    },
    "received": {
        "es": ("llego", "llegaron", "recibi", "recibio", "recibimos", "recibido", "recibidos", "recibida", "recibidas"),
        "en": ("received", "arrived"),
    },
    "handed out": {
        "es": (
            "entregue", "entrego", "entregamos", "entregado", "entregados", "entregada", "entregadas", "reparti",
            "repartimos", "repartido", "repartidos", "repartida", "repartidas",
        ),
        "en": ("handed out", "hand out", "gave out", "given out", "distributed"),
    },
    "lost": {
        "es": (
            "perdi", "perdio", "perdimos", "perdido", "perdidos", "perdida", "perdidas", "se perdio", "se perdieron",
            "merma",
        ),
        "en": ("lost", "loss"),
    },
    "spoiled": {
        "es": ("se echo a perder", "se echaron a perder"),
        "en": ("spoiled", "spoilt"),
    },
    "made": {
        "es": (
            "hice", "hizo", "hicimos", "hecho", "hechos", "hecha", "hechas", "produje", "produjimos", "hornee",
            "horneamos",
        ),
        "en": ("made", "baked", "produced"),
    },
    "loaded": {
        "es": ("cargue", "cargo", "cargamos", "cargado", "cargados", "cargada", "cargadas"),
        "en": ("loaded",),
    },
    "accepted": {"es": ("acepto", "acepte", "aceptamos"), "en": ("accept", "accepted")},
    "none": {
        "es": (
            "no hay", "no queda", "no quedan", "no queda nada", "no queda nada de", "no tengo", "no tenemos", "nada de",
            "nada", "sin", "se acabo", "se acabaron",
        ),
        "en": ("no", "none", "no more", "out of", "nothing"),
    },
    "and": {"es": ("y", "e"), "en": ("and",)},
    "order": {"es": ("orden", "pedido"), "en": ("order",)},
    "at": {"es": ("en", "sitio"), "en": ("at", "in", "site")},
    "yes": {"es": ("si", "confirmo"), "en": ("yes", "confirmed")},
    "more": {"es": ("falta mas", "viene mas", "falta el resto"), "en": ("more to come", "rest to come")},
    "because": {"es": ("por", "porque"), "en": ("because",)},
    "expires": {
        "es": ("vence", "vencen", "caduca", "caducan", "lote", "lote del"),
        "en": ("expires", "expire", "expiring", "lot", "use by"),
    },
    "undated": {"es": ("lote sin fecha", "sin fecha"), "en": ("undated", "without date", "lot without date")},
    "yesterday": {"es": ("ayer",), "en": ("yesterday",)},
    "batches": {"es": ("hornada", "hornadas", "tanda", "tandas"), "en": ("batch", "batches")},
}  # fmt: skip

FILLERS: Mapping[Language, tuple[str, ...]] = {
    "es": ("de", "del", "el", "la", "los", "las", "hoy"),
    "en": ("of", "the", "today"),
}
"""Words that join others and say nothing themselves."""

ARTICLES = frozenset({"el", "la", "los", "las", "the"})
"""The fillers that may stand before a site."""

UNITS: Mapping[str, tuple[str, Fraction]] = {
    **dict.fromkeys(("kg", "kgs", "kilo", "kilos", "kilogramo", "kilogramos", "kilogram", "kilograms"),
                    ("mass", Fraction(1))),
    **dict.fromkeys(("g", "gr", "gramo", "gramos", "gram", "grams"), ("mass", Fraction(1, 1000))),
    **dict.fromkeys(("t", "tonelada", "toneladas", "tonne", "tonnes"), ("mass", Fraction(1000))),
    **dict.fromkeys(("l", "lt", "lts", "litro", "litros", "litre", "litres", "liter", "liters"),
                    ("volume", Fraction(1))),
    **dict.fromkeys(("ml", "mililitro", "mililitros", "millilitre", "millilitres"), ("volume", Fraction(1, 1000))),
    **dict.fromkeys(("u", "ud", "uds", "unidad", "unidades", "unit", "units", "pieza", "piezas", "piece", "pieces"),
                    ("pieces", Fraction(1))),
    **dict.fromkeys(("docena", "docenas", "dozen", "dozens"), ("pieces", Fraction(12))),
}  # fmt: skip
"""Units by their folded names: what they measure, and how much of its base (kg, litre, piece) one is.

Pounds, quintals, gallons and tons are not among them: they differ from place to place.
"""

PACK_WORDS: tuple[tuple[str, ...], ...] = (
    ("saco", "sack"),
    ("caja", "box"),
    ("bolsa", "bag"),
    ("bidon", "drum"),
    ("botella", "bottle"),
    ("balde", "bucket"),
    ("paquete", "packet"),
    ("lata", "tin"),
    ("bandeja", "tray"),
    ("canasto", "basket"),
    ("barril", "barrel"),
)
"""Packs that are the same in both languages; how much is in one stands in the journal's table packs."""
