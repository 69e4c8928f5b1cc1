"""Genes of a file found among the genes of a model, also where another tool wrote their names differently."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

_ENSEMBL = r"ENS[A-Z]{0,6}[GTP]\d{11}"
_VERSION = re.compile(rf"^({_ENSEMBL})\.\d+(_PAR_Y)?$")
_PARTS = re.compile(r"[|;,\s/()]+|_(?=ENS)|(?<=\d)_(?=[A-Za-z])")

_KINDS = (
    ("Ensembl gene ids", re.compile(r"ENS[A-Z]{0,6}G\d{11}(\.\d+)?")),
    ("Ensembl transcript ids", re.compile(r"ENS[A-Z]{0,6}T\d{11}(\.\d+)?")),
    ("Ensembl protein ids", re.compile(r"ENS[A-Z]{0,6}P\d{11}(\.\d+)?")),
    ("Entrez gene ids", re.compile(r"\d+")),
    ("RefSeq accessions", re.compile(r"[NX][MRP]_\d+(\.\d+)?")),
    ("UniProt accessions", re.compile(r"[OPQ]\d[A-Z0-9]{3}\d(-\d+)?|[A-NR-Z]\d[A-Z][A-Z0-9]{2}\d(-\d+)?")),
    ("Affymetrix probe sets", re.compile(r"(AFFX.*|\d+(_[a-z])*_at)")),
    ("Illumina probes", re.compile(r"ILMN_\d+")),
    ("CpG sites", re.compile(r"c[gh]\d{6,}.*")),
    ("SomaScan SeqIds", re.compile(r"(seq\.)?\d{4,5}[.-]\d{1,3}(_\d+)?")),
    ("mouse gene symbols", re.compile(r"[A-Z][a-z][a-z0-9-]{0,10}")),
    ("gene symbols", re.compile(r"[A-Z][A-Z0-9.-]{0,14}|C\d+orf\d+")),
)  # fmt: skip


@dataclass(frozen=True)
class Match:
    """Genes of a model in a file.

    Attributes
    ----------
    place : (genes of the model,) column of the file, -1 where there is none
    notes : how names that are not the same were matched, in words
    mouse : how many match but for the case, as mouse symbols do; they are not taken
    """

    place: np.ndarray
    notes: tuple[str, ...] = ()
    mouse: int = 0


def match_genes(model: Iterable[str], file: Iterable[str]) -> Match:
    """Find the model's genes: as they are, then without what tools add to names, then whatever the case.

    A name that stands for several genes on either side matches none. Mouse symbols (Trp53, Cd4) are no human genes.

    Examples
    --------
    >>> match_genes(["ENSG00000141510", "CD4"], ["cd4", "ENSG00000141510.18"]).place.tolist()
    [1, 0]
    """
    model, file = [str(gene) for gene in model], [str(gene) for gene in file]
    place, notes, mouse = (
        pd.Index(file).get_indexer(model) if len(set(file)) == len(file) else _first(model, file),
        [],
        0,
    )
    place = np.array(place)
    for words, keys in _RULES:
        left = np.flatnonzero(place < 0)
        taken = set(place[place >= 0].tolist())
        free = [i for i in range(len(file)) if i not in taken] if len(left) else []
        if not free:
            break
        found = _by_key([model[i] for i in left], [file[i] for i in free], keys)
        pairs = [(int(left[a]), free[b]) for a, b in found]
        if pairs and keys is _folded:
            like_mouse = sum(_is_capitalised(file[b]) for _, b in pairs)
            if like_mouse > len(pairs) / 2 and sum(model[a] == model[a].upper() for a, _ in pairs) > len(pairs) / 2:
                mouse = len(pairs)
                continue
        for a, b in pairs:
            place[a] = b
        if pairs:
            a, b = pairs[0]
            notes.append(f"{len(pairs)} genes found {words} ({file[b]!r} for {model[a]!r})")
    return Match(place, tuple(notes), mouse)


def kind_of_names(names: Iterable[str]) -> str:
    """What most of some names look like, in words; empty where that is nothing known.

    Examples
    --------
    >>> kind_of_names(["ENSG00000141510.18", "ENSG00000010610"]), kind_of_names(["TP53", "CD4"])
    ('Ensembl gene ids', 'gene symbols')
    """
    names = [str(name).strip() for name in names][:2000]
    for words, pattern in _KINDS:
        if names and sum(bool(pattern.fullmatch(name)) for name in names) > len(names) / 2:
            return words
    return ""


def _is_capitalised(name: str) -> bool:
    return name[:1].isupper() and name[1:] == name[1:].lower() != name[1:].upper()


def _first(model: list[str], file: list[str]) -> list[int]:
    places = dict[str, int]()
    for i, name in enumerate(file):
        places.setdefault(name, i)
    return [places.get(gene, -1) for gene in model]


def _by_key(model: list[str], file: list[str], keys: Callable[[str], set[str]]) -> list[tuple[int, int]]:
    """Pairs of places that share a key which stands for one name only on either side."""
    owners = []
    for names in (model, file):
        keyed = [(key, i) for i, name in enumerate(names) for key in keys(name)]
        count = Counter(key for key, _ in keyed)
        owners.append({key: i for key, i in keyed if count[key] == 1})
    pairs, used = dict[int, int](), set[int]()
    for key, a in owners[0].items():
        b = owners[1].get(key)
        if b is not None and a not in pairs and b not in used:
            pairs[a] = b
            used.add(b)
    return sorted(pairs.items())


def _clean(name: str) -> set[str]:
    return {name.strip().strip("'\"").strip()}


def _without_version(name: str) -> set[str]:
    found = _VERSION.match(name)
    return {found[1] if found else name}


def _parts(name: str) -> set[str]:
    parts = {part for part in _PARTS.split(name) if len(part) > 1 and not part.isdigit()}
    return {name, *parts}.union(*map(_without_version, parts))


def _as_r_writes(name: str) -> set[str]:
    text = "".join(c if c.isascii() and (c.isalnum() or c in "._") else "." for c in name)
    return {text if re.match(r"[A-Za-z]|\.(?!\d)", text) else f"X{text}"}


def _folded(name: str) -> set[str]:
    return {name.casefold()}


_RULES: tuple[tuple[str, Callable[[str], set[str]]], ...] = (
    ("without quotes and spaces around the name", _clean),
    ("without the version of the Ensembl id", _without_version),
    ("by a part of the name", _parts),
    ("as R writes names of columns", _as_r_writes),
    ("in another case", _folded),
)
