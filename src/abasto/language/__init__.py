"""The languages in which Abasto speaks to people: texts from catalogues, numbers, dates, and direction."""

from abasto.language.language import LANGUAGES, Language, best_language, language

__all__ = ["LANGUAGES", "Language", "best_language", "language"]
