"""Which picture stands for a good on a phone: known by the words of its id and name, in Spanish, English and Arabic."""

from __future__ import annotations

from collections.abc import Mapping

from abasto.inbox.tokens import folded_words, stem

__all__ = ["PICTURES", "letters_of", "picture_of"]

_WORDS: Mapping[str, tuple[str, ...]] = {
    "medicine": (
        "medicine", "medicamento", "medicina", "remedio", "insulin", "insulina", "antibiotic", "antibiotico", "pill",
        "pastilla", "vacuna", "vaccine", "bandage", "venda", "دواء", "أدوية", "ادوية",
    ),
    "fuel": (
        "fuel", "combustible", "diesel", "gasoil", "petrol", "gasoline", "gasolina", "bencina", "kerosene", "queroseno",
        "parafina", "gas", "leña", "firewood", "charcoal", "carbon", "وقود", "ديزل", "بنزين", "غاز",
    ),
    "milk": ("milk", "leche", "yogurt", "yoghurt", "formula", "حليب", "لبن"),
    "oil": ("oil", "aceite", "ghee", "manteca", "butter", "mantequilla", "زيت", "سمن"),
    "water": ("water", "agua", "ماء", "مياه"),
    "bread": ("bread", "pan", "marraqueta", "tortilla", "loaf", "bun", "خبز"),
    "rice": (
        "rice", "arroz", "lentil", "lenteja", "bean", "poroto", "frijol", "alubia", "chickpea", "garbanzo", "pasta",
        "fideo", "noodle", "sugar", "azucar", "salt", "sal", "pulse", "legumbre", "أرز", "رز", "عدس", "فول", "حمص",
        "سكر",
    ),
    "flour": (
        "flour", "harina", "wheat", "trigo", "grain", "grano", "cereal", "maize", "maiz", "corn", "oat", "avena",
        "barley", "cebada", "طحين", "دقيق", "قمح", "ذرة",
    ),
    "vegetables": (
        "vegetable", "verdura", "hortaliza", "potato", "papa", "patata", "onion", "cebolla", "tomato", "tomate",
        "carrot", "zanahoria", "fruit", "fruta", "apple", "manzana", "cabbage", "repollo", "خضار", "خضروات", "بطاطا",
        "بصل", "فواكه",
    ),
}  # fmt: skip
"""The earlier picture is taken where words of several are in one name: cooking oil for bread is oil."""

_PICTURE_OF = {stem(folded_words(word)[0]): picture for picture, words in _WORDS.items() for word in words}
PICTURES = (*_WORDS, "box")
"""Every picture; a box with letters on it stands for what has none."""


def picture_of(id: str, name: str = "") -> str:
    """Return the picture of a good.

    >>> picture_of("flour-2", "Harina 000"), picture_of("x7", "Leche en polvo"), picture_of("soap")
    ('flour', 'milk', 'box')
    """
    found = {_PICTURE_OF.get(stem(word)) for word in (*folded_words(id), *folded_words(name))}
    return next(picture for picture in PICTURES if picture in found or picture == "box")


def letters_of(name: str) -> str:
    """Return the letters that stand on the box of a good.

    >>> letters_of("jabón en barra"), letters_of("x")
    ('JA', 'X')
    """
    return name.strip()[:2].upper()
