"""How one amount may be written: a rule for each way, tried in turn on one tidied text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

_PLAIN = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_NUMBER = rf"(?:{_PLAIN}|[+-]?\d+,\d+|[+-]?\d{{1,3}}(?:[ ',.]\d{{3}})+(?:[.,]\d+)?)"
_YEARS = ("y", "yr", "yrs", "year", "years", "yo", "y/o", "yearold", "yearsold", "yearsofage", "jahre", "ans", "anni")
TIMES = dict.fromkeys(_YEARS, 1.0)
TIMES |= dict.fromkeys(("mo", "mos", "mth", "mths", "month", "months", "monthold", "monthsold"), 1 / 12)
TIMES |= dict.fromkeys(("w", "wk", "wks", "week", "weeks", "weekold", "weeksold"), 7 / 365.25)
TIMES |= dict.fromkeys(("d", "day", "days", "dayold", "daysold"), 1 / 365.25)
# parts of which a unit is made: mg/dl, kg/m2
_UNITS = set("% g kg mg ug µg mcg ng pg lb lbs cm mm m m2 in ft l dl ml ul µl iu u".split())
_UNITS |= set("mol mmol umol µmol nmol pmol".split())
_UNITS |= set("mmhg bpm kcal cells cell min h hr hrs hour hours s sec x109 109 pack packs cigarettes units".split())
_UNITS |= {"°c", "day", "week", "month", "year", "y", "d", "packyears", "point", "points"}
_ABOVE = r">=|=>|≥|at least|>|over|above|more than|older than"
_BELOW = r"<=|=<|≤|at most|up to|<|under|below|less than|younger than"
_STRICT = (">", "over", "above", "more than", "older than", "<", "under", "below", "less than", "younger than")
_ABOUT = r"~|≈|ca\.?|c\.|circa|approx\.?|approximately|about|around|est\.?|estimated"
_ORDER = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh".split()
SUPERSCRIPTS = re.compile(r"(?<=\d)[⁰¹²³⁴-⁹]")  # marks of footnotes: 45² is not 452


@dataclass(frozen=True)
class Reading:
    """One way of writing, as it was read."""

    value: float
    way: str
    unit: str = ""
    doubt: bool = False


def tidy(text: str) -> str:
    """Without forms of one sign: wide digits, blanks that do not break, dashes; in lower case."""
    text = unicodedata.normalize("NFKC", text).casefold().strip().strip("\"'")
    text = re.sub("[\u2010-\u2015\u2212]", "-", text)
    return " ".join(re.sub(r"^[a-z][\w ()/.]*(?:[:=])\s+", "", text).split())


def _number(text: str, comma: str) -> float | None:
    """A number with a decimal comma or separated thousands."""
    if re.fullmatch(_PLAIN, text):
        return float(text)
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        three = re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text)
        if three and comma != "decimals":
            return float(text.replace(",", "")) if comma == "thousands" else None
        return float(text.replace(",", "."))
    if re.fullmatch(r"[+-]?\d{1,3}([ ',])\d{3}(\1\d{3})*(\.\d+)?", text):
        return float(re.sub("[ ',]", "", text))
    if re.fullmatch(r"[+-]?\d{1,3}([ .'])\d{3}(\1\d{3})*(,\d+)?", text):
        return float(re.sub("[ .']", "", text).replace(",", "."))
    return None


def read_one(text: str, whole: bool, comma: str) -> Reading | None:
    """What a text means, None where no rule fits; ``whole``: whether the plain numbers of the column are whole."""

    def number(part: str) -> float | None:
        return _number(part, comma)

    text = re.sub(r"\s*(?:human |mouse )?stage$", "", text)
    rules: tuple[Callable, ...] = (_written, _of_decade, _bound, _range, _about, _years_and_months, _with_unit)
    for rule in rules:
        reading = rule(text, number, whole)
        if reading is not None:
            return reading
    return None


def _written(text: str, number: Callable, whole: bool) -> Reading | None:
    value = number(text)
    if value is None:
        return None
    decimal = "," in text and value == float(re.sub("[ .']", "", text).replace(",", ".", 1).replace(",", ""))
    thousands = "separated thousands" if re.search("[ ',]", text) else "as is"
    return Reading(value, "decimal comma" if decimal else thousands)


def _of_decade(text: str, number: Callable, whole: bool) -> Reading | None:
    match = re.fullmatch(r"(\w+) decade", text)
    if not match or match[1] not in _ORDER:
        return None
    return Reading(10 * _ORDER.index(match[1]) + 4.5, "the middle of a range", "y", True)


def _bound(text: str, number: Callable, whole: bool) -> Reading | None:
    before = re.fullmatch(rf"({_ABOVE}|{_BELOW})\s*({_NUMBER})\s*(.*)", text)
    after = re.fullmatch(
        rf"({_NUMBER})\s*([a-z/-]*?)\s*(\+|plus|(?:and|or) (?:over|older|above|more|up|under|younger|below|less))"
        rf"\s*([a-z ]*)",
        text,
    )
    if before:
        sign, value, unit = before[1], number(before[2]), _unit(before[3])
    elif after:
        sign, value, unit = "", number(after[1]), _unit(after[2] or after[4])
    else:
        return None
    if value is None or unit is None:
        return None
    if sign in _STRICT and whole and value % 1 == 0:  # beyond 89 in whole years is 90 or more
        value = value + 1 if re.match(_ABOVE, sign) else max(value - 1, 0.0)
    return Reading(value, "the bound", unit, True)


def _range(text: str, number: Callable, whole: bool) -> Reading | None:
    match = re.fullmatch(rf"({_NUMBER})\s*(?:-|to|until|\.\.|_)\s*({_NUMBER})\s*(.*)", text)
    match = match or re.fullmatch(rf"[\[(]\s*({_PLAIN})\s*[,;-]\s*({_PLAIN})\s*[\])]\s*(.*)", text)
    if not match:
        return None
    low, high, unit = number(match[1]), number(match[2].removeprefix("-")), _unit(match[3])
    if low is None or high is None or unit is None or low >= high:
        return None
    return Reading((low + high) / 2, "the middle of a range", unit, True)


def _about(text: str, number: Callable, whole: bool) -> Reading | None:
    match = re.fullmatch(rf"(?:{_ABOUT})\s*({_NUMBER})\s*(.*)", text)
    match = match or re.fullmatch(rf"({_NUMBER})\s*(.*?)\s*[?*]", text)
    value, unit = (number(match[1]), _unit(match[2])) if match else (None, None)
    return None if value is None or unit is None else Reading(value, "about that", unit)


def _years_and_months(text: str, number: Callable, whole: bool) -> Reading | None:
    match = re.fullmatch(r"(\d+)\s*(?:y|yrs?|years?)[\s,;]*(?:and )?(\d+)\s*(?:m|mo|mths?|months?)", text)
    return Reading(int(match[1]) + int(match[2]) / 12, "without its unit", "y") if match else None


def _with_unit(text: str, number: Callable, whole: bool) -> Reading | None:
    match = re.fullmatch(rf"({_NUMBER})[\s-]*(\D.*)", text)
    value, unit = (number(match[1]), _unit(match[2])) if match else (None, None)
    return Reading(value, "without its unit", unit) if value is not None and unit else None


def _unit(text: str) -> str | None:
    """A unit as one word, ``y`` for all of years; empty where there is none, None where it is no unit."""
    word = re.sub(r"[\s().^·*-]", "", text).replace("μ", "µ")
    if not word or word in TIMES:
        return "y" if word in _YEARS else word
    parts = word.split("/")
    return word if all(part in _UNITS for part in parts) else None
