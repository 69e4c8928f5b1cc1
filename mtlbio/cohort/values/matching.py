"""Sample names that differ from the metadata's only by what a program or a person put around them.

featureCounts names samples after files (``bam/S1.sorted.bam``), R turns ``1-A`` into ``X1.A``, people change capitals.
A difference is overlooked only where it leaves the match one to one.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from mtlbio.cohort.cells.barcodes import match_barcodes
from mtlbio.errors import one_line
from mtlbio.intake.appended import ENDINGS, OF_TABLES, TOOLS, any_of
from mtlbio.intake.notes import notice

# What tools put behind a sample's name in the name of a file, whatever its capitals.
_ENDING = re.compile(
    r"(([._-]?(aligned|readspergene)|[._-](sortedbycoord|totranscriptome|sorted|sort|srt|dedup|dedupped|markdup|markdups|"
    rf"mdup|rmdup|md|uniq|unique|filtered|counts?|quant|{any_of(*TOOLS, *ENDINGS, *OF_TABLES)}|h5|abundance|fastq|fq|"
    r"trimmed|cel|idat|s\d+(?=_(l00\d|r[12]_001))|l00\d|r[12]|001)))+$",
    re.IGNORECASE,
)
# GEO writes the accession of a sample before the names of its files: GSM123_S1.counts.txt.gz
_GSM = re.compile(r"(GSM\d+)[_.-]")
_MOST = 20_000  # names; more are cells, whose barcodes no spreadsheet has touched


def matched(names: np.ndarray, described: Iterable[str]) -> tuple[np.ndarray, str | None]:
    """Names as the metadata writes them, and in what they differed.

    Parameters
    ----------
    names : (n,) text, samples of a file of measurements
    described : samples of the metadata

    Returns
    -------
    names : (n,) with the metadata's spelling where one name of the file fits one of the metadata, else as they were
    how : the difference in words, None where nothing was changed

    Examples
    --------
    >>> matched(np.array(["bam/S1.sorted.bam", "bam/S2.sorted.bam"]), ["S1", "S2"])
    (array(['S1', 'S2'], dtype='<U2'), 'the file around the name')
    """
    cells, how = match_barcodes(names, described := list(described))
    if how is not None:
        return cells, how
    known = {str(name) for name in described}
    free = sorted(known.difference(names.tolist()))
    open_places = [i for i, name in enumerate(names.tolist()) if name not in known]
    if not free or not open_places or len(names) > _MOST or len(free) > _MOST:
        return names, None
    left = [names[i] for i in open_places]
    for how, of_names, of_described in _WAYS:
        found = _one_to_one(of_names(left), of_described(free))
        if not found:
            continue
        changed = {open_places[i]: free[j] for i, j in found.items()}
        return np.array([changed.get(i, name) for i, name in enumerate(names.tolist())], dtype=str), how
    return names, None


def named_as(names: np.ndarray, described: Iterable[str] | None, path: Path) -> np.ndarray:
    """:func:`matched`, and a note on it."""
    new, how = (names, None) if described is None else matched(names, described)
    if how is not None:
        changed = np.flatnonzero(new != names)
        first = f"{one_line(names[changed[0]], 60)!r} is {one_line(new[changed[0]], 60)!r}"
        notice(path, f"samples: {len(changed)} names differ from the metadata's by {how} ({first}): taken for the same")
    return new


def _one_to_one(keys: list[str], targets: list[str]) -> dict[int, int]:
    """Place among ``keys`` -> place among ``targets`` where both are alone with their key."""
    here, there = _places(keys), _places(targets)
    return {here[key][0]: there[key][0] for key in here if key and len(here[key]) == len(there.get(key, ())) == 1}


def _places(keys: list[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return places


def _of_file(names: list[str]) -> list[str]:
    """Without folders and without what tools append."""
    bases = [re.split(r"[/\\]", name.rstrip("/\\"))[-1] for name in names]
    # salmon and kallisto name the folder after the sample and every file alike
    if len(set(bases)) == 1 and len(names) > 1:
        bases = [(re.split(r"[/\\]", name.rstrip("/\\")) + [""])[-2] for name in names]
    return [_ENDING.sub("", base) for base in bases]


def _bare(names: list[str]) -> list[str]:
    """Without the beginning and the end that all names share, cut where a word ends."""
    if len(names) < 2:
        return names
    head = re.sub(r"[A-Za-z0-9]*$", "", os.path.commonprefix(names))
    tail = re.sub(r"^[A-Za-z0-9]*", "", os.path.commonprefix([name[::-1] for name in names])[::-1])
    return [name[len(head) : len(name) - len(tail)] for name in names]


def _as_r(names: list[str]) -> list[str]:
    """As R's ``make.names`` writes them; blanks, hyphens and other signs become dots."""
    dotted = [re.sub(r"[^A-Za-z0-9._]", ".", name) for name in names]
    return [f"X{name}" if re.match(r"[0-9_]|\.[0-9]", name) else name for name in dotted]


def _folded(names: list[str]) -> list[str]:
    """Without capitals, signs and R's X."""
    plain = [unicodedata.normalize("NFKC", name).casefold() for name in names]
    signs = [re.sub(r"[\W_]+", ".", name).strip(".") for name in plain]
    return [re.sub(r"^x(?=\d)", "", name) for name in signs]


def _cased(names: list[str]) -> list[str]:
    return [name.casefold() for name in names]


def _unpadded(names: list[str]) -> list[str]:
    """With numbers as a spreadsheet writes them (007 is 7), beside :func:`_folded`."""
    return [re.sub(r"(?<!\d)0+(?=\d)", "", name) for name in _folded(names)]


def _accession(names: list[str]) -> list[str]:
    """The sample of GEO that its name of a supplementary file begins with; empty without one."""
    found = [_GSM.match(re.split(r"[/\\]", name)[-1]) for name in names]
    return [match.group(1) if match else "" for match in found]


def _behind_accession(names: list[str]) -> list[str]:
    """What stands behind the accession, without what tools append and as :func:`_folded`; empty without one."""
    bases = [re.split(r"[/\\]", name)[-1] for name in names]
    return [_folded(_of_file([_GSM.sub("", base)]))[0] if _GSM.match(base) else "" for base in bases]


def _same(names: list[str]) -> list[str]:
    return names


# Differences from the plainest to the widest, as what is compared of the file's and of the metadata's names; the first
# that gives a match is used.
_Keys = Callable[[list[str]], list[str]]
_WAYS: tuple[tuple[str, _Keys, _Keys], ...] = (
    ("capitals", _cased, _cased),
    ("what R makes of names (X before a digit, dots for signs)", _as_r, _as_r),
    ("signs, blanks or capitals", _folded, _folded),
    ("leading zeros", _unpadded, _unpadded),
    ("the file around the name", _of_file, _same),
    ("what stands behind GEO's accession", _accession, _same),
    ("GEO's accession before them", _behind_accession, _folded),
    ("what stands before and after all of them", _bare, _same),
    ("the file around the name and capitals or signs", lambda names: _folded(_of_file(names)), _folded),
    ("what stands before and after all of the metadata's", _same, _bare),
    (
        "what stands around all of them and capitals or signs",
        lambda names: _folded(_of_file(_bare(names))),
        _folded,
    ),
)
