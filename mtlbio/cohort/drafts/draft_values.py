"""Values of a table before a draft is made of it: what looks missing is missing, one name has one way of writing.

What a draft acts on is written into its YAML (``metadata.missing``, ``metadata.spelling``), and said.
"""

import pandas as pd

from mtlbio.cohort.content import told
from mtlbio.cohort.drafts.drafting import Draft, scalar
from mtlbio.cohort.drafts.guess import has_word, is_age, is_derived, words
from mtlbio.intake.amounts import Amounts, read_amounts
from mtlbio.intake.keyed import key_of, without_key
from mtlbio.intake.missing_words import is_no_value, looks_missing, written
from mtlbio.intake.spelling import pooled, shown, variants

_MOST_LEVELS = 300  # more are names or measurements, whose ways of writing are their own affair


def clean(out: Draft, names: list[str]) -> None:
    """Set what looks missing to NaN and pool ways of writing; ``names`` are columns of donors, of samples and the like,
    in which a number is never a code."""
    out.table = _by_key(out)
    for column in out.table.columns:
        amounts = is_amount_column(column)
        found = looks_missing(out.table[column], codes=column not in names and not is_derived(column), number=amounts)
        if found and len(found) < out.table[column].nunique():
            out.codes[column] = found
            out.table[column] = out.table[column].mask(out.table[column].isin(list(found)))
        many = out.table[column].nunique() > _MOST_LEVELS and column not in names
        groups = [] if amounts or many else variants(out.table[column])
        if groups:
            out.spellings[column] = groups
            out.table[column] = pooled(out.table[column])


def _by_key(out: Draft) -> pd.DataFrame:
    """The table with the columns of characteristics under the names that their values say."""
    table = out.table.copy(deep=False)
    for column in list(table.columns):
        key = key_of(table[column])
        if key and key not in table.columns and not any(words(c) == words(key) for c in table.columns):
            table[column] = without_key(table[column], key)
            table = table.rename(columns={column: key})
            out.column_of[key] = column
    return table


def is_amount_column(column: str) -> bool:
    """Whether a name says that the column holds numbers."""
    return is_age(column) or has_word(column, ("bmi",))


def metadata_keys(out: Draft) -> list[str]:
    """Keys of the section ``metadata`` that the columns in the draft need, and a note on each."""
    keys, used = list[str](), out.read_columns
    codes = {c: out.codes[c] for c in out.codes if c in used}
    if codes:
        values = list(dict.fromkeys(text for found in codes.values() for text in found))
        meant = [text for text in values if any(written([text], out.table[c], c == out.donor) for c in used)]
        keys += [f"missing: [{', '.join(map(_code, of))}]"] if (of := [t for t in values if t not in meant]) else []
        out.notes.append(f"missing: {told(codes)} look like values that are not known, so they count as missing")
        if meant:
            out.notes.append(
                f"check this: {', '.join(map(repr, meant))} may be a real value of another column, and is not written "
                f"as missing: empty those fields in the table"
            )
    groups = {c: out.spellings[c] for c in out.spellings if c in used}
    if groups:
        keys.append("spelling: pool")
        found = "; ".join(f"{c} {_some(of)}" for c, of in groups.items())
        out.notes.append(f"spelling: {found} differ in their way of writing only, so they are taken for the same")
    return keys


def _some(groups: list[dict[str, int]]) -> str:
    more = f" and {len(groups) - 4} further groups" if len(groups) > 4 else ""
    return " and ".join(shown(group) for group in groups[:4]) + more


def amounts_of(out: Draft, column: str) -> Amounts:
    """The numbers of a column, with a note on each way of writing that was read."""
    found = read_amounts(out.table[column])
    for line, _ in found.said:
        note = f"numbers of {column!r}: {line}"
        if note not in out.notes and not len(found.wrong):
            out.notes.append(note)
    return found


def no_numbers(wrong: pd.Series) -> str:
    """``'adult' (3), 'old' (1)``: what is no number, quoted."""
    return told({"": {str(text): int(n) for text, n in wrong.value_counts().items()}}).strip()


def _code(text: str) -> str:
    return text if not is_no_value(text) and text.lstrip("+-").isdigit() else scalar(text)
