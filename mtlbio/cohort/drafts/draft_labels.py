"""Which columns of a cohort's metadata a draft makes labels and covariates of, and what it says of the others."""

import pandas as pd

from mtlbio.cohort.drafts import guess
from mtlbio.cohort.drafts.draft_survival import add_survival
from mtlbio.cohort.drafts.draft_values import amounts_of, is_amount_column, no_numbers
from mtlbio.cohort.drafts.drafting import Draft, range_text
from mtlbio.cohort.drafts.guess import has_word, is_age, is_called, is_derived, is_response, words
from mtlbio.cohort.drafts.guess_columns import tells_tumour
from mtlbio.errors import listing
from mtlbio.intake.amounts import read_amounts

_STAGE = ("development_stage", "developmental_stage")  # of CELLxGENE: 45-year-old stage
_BANDS = {"group", "groups", "band", "bin", "category", "cat", "range", "class", "interval"}
_MOST_CHOICES = 12
_MOST_CLASSES = 8
_MOST_NAMED = 30
_GROWN, _OLDEST = 15, 120  # years


def add_tasks(out: Draft) -> None:
    """Labels: times to an event, a disease or condition, the age, a response; where none is found, the choices."""
    table, columns = out.table, list(out.table.columns)
    add_survival(out)
    disease = [c for c in columns if is_called(c, guess.DISEASE) and c not in out.used]
    disease += [*(out.by or []), *(c for c in columns if is_called(c, guess.CONDITION))]
    disease += [c for c in columns if c not in out.used and tells_tumour(table[c])]
    disease += [c for c in columns if is_called(c, guess.LABEL)]
    for column in dict.fromkeys(disease):
        if out.add_class_task(column, "disease" if is_called(column, guess.DISEASE) else column):
            break
    age = age_column(table)
    if age is not None:
        found = amounts_of(out, age)
        if len(found.wrong):
            out.leave_out(age, f"holds what is no number: {no_numbers(found.wrong)} (metadata.missing may name it)")
        elif found.values.nunique() < guess.LEAST_VALUES:
            out.leave_out(age, f"holds {found.values.nunique()} different numbers, too few for a regression")
        else:
            about = range_text(found.values)
            name = out.name_of(age, age if is_age(age) else "age")
            out.add_task(name, age, "regression", "", about, f"regression on column {age!r}{_odd_ages(found.values)}")
    response = [c for c in columns if is_response(c) and c not in out.used and not is_derived(c)]
    # of several definitions of response, the one that most donors carry; on a tie the later column
    response.sort(key=lambda c: (out.donors[table[c].notna()].nunique(), columns.index(c)), reverse=True)
    for column in response:
        if out.add_class_task(column, "response" if "response" in words(column) else column):
            break
    if not out.tasks:
        add_choices(out, [c for c in [*disease, age, *response] if c is not None])


def _odd_ages(values: pd.Series) -> str:
    """A word on ages that are none of adults in years."""
    zero = int((values == 0).sum())
    if values.median() > _OLDEST:
        return f", half of them above {values.median():.0f}: in days or months? check this"
    if zero and values[values != 0].min() > _GROWN:
        return f", {zero} of them 0 and all others above {_GROWN}: if 0 stands for missing, leave it empty: check this"
    return ""


def age_column(table: pd.DataFrame) -> str | None:
    """The column of the age: one of that name, else stages of development that tell years, else groups of age."""
    named = [c for c in table.columns if is_age(c) and table[c].notna().any()]
    for column in [c for c in table.columns if is_called(c, _STAGE) or _is_banded(c)]:
        found = read_amounts(table[column])
        if not named and not len(found.wrong) and found.values.nunique() > 2:
            return column
    return named[0] if named else None


def _is_banded(column: str) -> bool:
    parts = words(column)
    return "age" in parts and bool(_BANDS & set(parts)) and len(parts) == 2


def add_choices(out: Draft, tried: list[str], taken: bool = True) -> None:
    """Lines to choose from: columns that could be labels, with their values; ``tried`` were called like some, and
    ``taken`` says whether a choice is of no use for anything else."""
    elsewhere = (*guess.CONFOUNDER, *guess.TECHNICAL, *guess.POSITION)
    free = [c for c in out.table.columns if c not in out.used and not is_derived(c) and not has_word(c, elsewhere)]
    for column in free:
        trial = Draft(out.source, out.table, out.donor, out.by)
        values = read_amounts(out.table[column])
        levels = out.table[column].nunique()
        if levels <= _MOST_CLASSES:
            trial.add_class_task(column, column)
        elif not len(values.wrong) and values.values.nunique() >= guess.LEAST_VALUES:
            trial.add_task(trial.name_of(column), column, "regression", "", range_text(values.values), "")
        out.choices += trial.tasks
        out.used |= set(trial.task_columns) if taken else set()
    more = f" (of {len(out.choices)})" if len(out.choices) > _MOST_CHOICES else ""
    del out.choices[_MOST_CHOICES:]
    why = "no column is called like a label (such as disease, age, response)"
    if tried:
        why = f"none, because {', '.join(map(repr, dict.fromkeys(tried)))} cannot be one as they are"
    what = "no other column has two classes of three donors or more, or ten different numbers"
    if out.choices:
        what = f"{len(out.choices)} columns{more} that could be one stand below tasks: uncomment those that are"
    out.notes.append(f"tasks: {why}; {what}")


def add_covariates(out: Draft) -> None:
    """What is known before the disease, and names of processing."""
    age = age_column(out.table)
    # where a repository writes a value both in words and as a term of an ontology, the words stand
    for column in sorted(out.table.columns, key=lambda c: "ontology" in words(c)):
        is_the_age = column == age
        if (column in out.used and not is_the_age) or is_derived(column) or out.table[column].isna().all():
            continue
        role = "confounder" if is_the_age or (age is None and _is_banded(column)) else guess.role_of(column)
        if role is None:
            continue
        continuous = is_the_age or is_amount_column(column)
        reason = unfit(out, column, continuous) or _said_already(out, column)
        said = column in out.used
        out.used.add(column)
        if reason:
            if not (said and is_the_age):
                out.leave_out(column, reason)
            continue
        why = "known before the disease" if role == "confounder" else "a name of processing"
        out.add_covariate(column, role, why, amounts_of(out, column).values if continuous else None)


def unfit(out: Draft, column: str, continuous: bool) -> str | None:
    """Why a column cannot be a covariate, if so."""
    values = out.table[column].dropna()
    found, levels = read_amounts(values), values.nunique()
    if levels < 2:
        return "has one value only"
    if continuous:
        return f"holds what is no number: {no_numbers(found.wrong)}" if len(found.wrong) else None
    unit = None if out.by is None else [out.donor, *out.by]
    if unit and out.varies_within(unit, column):
        return "differs between the cells of one sample"
    if not has_word(column, guess.TECHNICAL) and levels > 10 and not len(found.wrong):
        return f"holds {levels} different numbers where a few groups are due"
    if levels > 0.5 * (len(out.table[unit].drop_duplicates()) if unit else len(out.table)):
        return f"has {levels} levels, nearly one per sample: an identifier"
    if has_word(column, ("sex", "gender")) and out.varies_within([out.donor], column):
        return f"differs between the samples of {out.who_varies([out.donor], column)}: correct it first"
    return None


def _said_already(out: Draft, column: str) -> str | None:
    """Whether a covariate of the draft has the same levels under other names: both together cannot be held fixed."""
    for other in out.covariate_columns:
        pairs = out.table[[column, other]].dropna().drop_duplicates()
        if len(pairs) > 1 and pairs[column].is_unique and pairs[other].is_unique and not is_amount_column(other):
            return f"says the same as {other!r}"
    return None


def say_left_out(out: Draft) -> None:
    """Say which columns the draft does not use, and why."""
    rest = [c for c in out.table.columns if c not in out.used.union(out.by or ()) and out.table[c].notna().any()]
    for belongs, why in (
        (is_derived, "derived values, references or book-keeping: neither label nor covariate"),
        (lambda c: has_word(c, guess.POSITION), "position on an array or plate: add as technical if you suspect it"),
        (lambda c: is_response(c), "further response-like labels: add as tasks if they are the question"),
        (lambda c: True, "not recognised: add as task or covariate where it is one"),
    ):
        columns = [c for c in rest if belongs(c)]
        rest = [c for c in rest if c not in columns]
        if columns:
            out.notes.append(f"left out: {listing(columns, _MOST_NAMED)} ({why})")
