"""From the files of a protein run to chains: every mistake is one line that names file, chain and what is valid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.kinds.schemas.chains import ChainSource
from mtlbio.sequence.chains import Chains, ResidueTask, joined
from mtlbio.sequence.letters import MISSING_STATE, Q3, Q8, encode, encode_states

FASTA = (".fasta", ".fa", ".faa", ".fas")
STRUCTURES = (".cif", ".mmcif", ".pdb", ".ent")
_GAPS = ("", "na", "nan", "n/a", "none")


@dataclass(frozen=True)
class Record:
    """A chain as its file has it: name, sequence, and the text of every other column."""

    name: str
    sequence: str
    columns: dict[str, str]


def read_sources(run: ProteinRun) -> tuple[Chains, list[dict]]:
    """All chains of a run, and the rows of ``qc.tsv`` on those that were left out.

    Identical sequences are one chain if they come from one part: the first with the most labels is kept. ``part`` and
    ``cluster`` are as the files say ("" where they do not); :mod:`mtlbio.sequence.split` fills them in.

    Raises
    ------
    InputError
        A missing column, letters that are no amino acids, labels of the wrong length or out of range, a chain that
        occurs twice or nothing left.
    """
    tasks = {name: ResidueTask(name, task.kind, task.auxiliary) for name, task in run.tasks.items()}
    rows, letters, qc, seen, there = [], [], [], {}, set()
    labels = {name: [] for name in tasks}
    q3 = {name: [] for name, task in tasks.items() if task.kind == "secondary_structure"}
    for key, source in run.chains.items():
        for record in records(source, key, _columns(run, source)):
            where = f"{source.path}: chain {record.name}"
            there |= record.columns.keys()
            if record.name in seen:
                raise InputError(
                    f"{where}: occurs twice (chains.{seen[record.name]} and chains.{key}); give it one name"
                )
            try:
                codes = encode(record.sequence)
            except ValueError as error:
                raise InputError(f"{where}: {error}; valid: the twenty letters and {listing('XBZJUO')}") from None
            dropped = _too(len(codes), run)
            if dropped:
                qc.append({"item": record.name, "kind": "chain", "reason": dropped, "detail": f"{len(codes)} residues"})
                continue
            part, left_out = _part(source, record, run)
            if left_out:
                qc.append({"item": record.name, "kind": "chain", "reason": "split of no part", "detail": left_out})
                continue
            seen[record.name] = key
            mask = _numbers(record, source.mask, len(codes), where) if source.mask else None
            resolved = np.ones(len(codes), bool) if mask is None else mask == 1
            for name, task in tasks.items():
                own = run.tasks[name]
                if task.kind == "secondary_structure":
                    eight, three = (_states(record, c, s, len(codes), where) for c, s in ((own.q8, Q8), (own.q3, Q3)))
                    labels[name].append(np.where(resolved, eight, MISSING_STATE).astype(np.uint8))
                    q3[name].append(np.where(resolved, three, MISSING_STATE).astype(np.uint8))
                else:
                    values = _numbers(record, own.column or name, len(codes), where)
                    _check_range(values, name, task.kind, own.column or name, where)
                    labels[name].append(np.where(resolved, values, np.nan).astype(np.float32))
            cluster = record.columns.get(source.cluster, "") if source.cluster else ""
            of_source = record.columns.get(source.source, key) if source.source else key
            rows.append({"chain": record.name, "source": of_source or key, "cluster": cluster, "part": part})
            letters.append(codes)
    if not rows:
        raise InputError(
            f"chains: none left of {listing(s.path for s in run.chains.values())}; qc would drop all of them"
        )
    chains = joined(rows, letters, labels, q3, tasks)
    empty = [name for name in tasks if not chains.known(name).any()]
    if empty:
        raise InputError(_no_label(empty[0], run, there))
    return chains, qc


def _no_label(name: str, run: ProteinRun, there: set[str]) -> str:
    """What is wrong with a task that no chain has: its columns are missing, or hold gaps only."""
    task = run.tasks[name]
    wanted = [c for c in (task.q8, task.q3) if c] or [task.column or name]
    said = f"tasks.{name}: no residue of any chain has this label"
    if there.isdisjoint(wanted):
        return f"{said}; no file has a column {' or '.join(wanted)}; found {listing(sorted(there))}"
    return f"{said}; {' and '.join(wanted)} hold nothing but gaps"


def records(source: ChainSource, key: str = "chains", columns: list[str] | None = None) -> Iterator[Record]:
    """Chains of one file or folder, in its order.

    Parameters
    ----------
    columns : columns of a table that have to be there
    """
    path = Path(source.path)
    if path.is_dir() or path.suffix.lower() in STRUCTURES:
        yield from _of_structures(path)
    elif path.name.lower().removesuffix(".gz").endswith(FASTA):
        yield from (Record(name, text, {}) for name, text in read_fasta(path))
    else:
        yield from _of_table(path, source, key, columns or [])


def read_fasta(path: str | Path) -> list[tuple[str, str]]:
    """(name, sequence) of every entry; the name is the first word after ``>``.

    Raises
    ------
    InputError
        Text before the first ``>``, an entry without name or sequence, a name that occurs twice, no entry.
    """
    import gzip

    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected sequences in FASTA format")
    opened = gzip.open if path.suffix == ".gz" else open
    found: list[tuple[str, list[str]]] = []
    try:
        with opened(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                text = line.strip()
                if text.startswith(">"):
                    name = text[1:].split()[0] if text[1:].split() else ""
                    if not name:
                        raise InputError(f"{path}: line {number}: an entry without a name")
                    found.append((name, []))
                elif text and not found:
                    raise InputError(f"{path}: line {number}: not FASTA; expected a line that starts with >")
                elif text:
                    found[-1][1].append(text.replace(" ", ""))
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path}: not FASTA ({error.__class__.__name__}); expected text of sequences") from None
    if not found:
        raise InputError(f"{path}: no sequence in it; expected FASTA")
    names = pd.Series([name for name, _ in found])
    if names.duplicated().any():
        raise InputError(
            f"{path}: chain {names[names.duplicated()].iloc[0]} occurs twice; give every entry its own name"
        )
    empty = [name for name, lines in found if not lines]
    if empty:
        raise InputError(f"{path}: chain {empty[0]} has no sequence")
    return [(name, "".join(lines)) for name, lines in found]


def _columns(run: ProteinRun, source: ChainSource) -> list[str]:
    return [c for c in (source.id, source.sequence, source.source, source.split, source.cluster, source.mask) if c]


def _of_table(path: Path, source: ChainSource, key: str, needed: list[str]) -> Iterator[Record]:
    name = path.name.lower().removesuffix(".gz")
    try:
        if name.endswith(".parquet"):
            table = pd.read_parquet(path).astype(object).where(lambda t: t.notna(), "").astype(str)
        elif name.endswith((".csv", ".tsv", ".txt")):
            separator = "," if name.endswith(".csv") else "\t"
            table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)
        else:
            raise InputError(
                f"{path}: unknown kind of file; valid: csv, tsv (.gz), parquet, {listing(FASTA)}, "
                f"a folder of structures ({listing(STRUCTURES)})"
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path}: cannot be read as a table: {str(error).splitlines()[0]}") from None
    missing = [c for c in [*needed, *source.keep] if c not in table.columns]
    if missing:
        raise InputError(f"{path}: chains.{key}: no column {missing[0]!r}; found {listing(table.columns, 20)}")
    for column, values in source.keep.items():
        allowed = {str(v) for v in values}
        absent = allowed - set(table[column])
        if absent:
            found = listing(sorted(set(table[column])))
            raise InputError(f"{path}: chains.{key}.keep.{column}: {sorted(absent)[0]!r} does not occur; found {found}")
        table = table[table[column].isin(allowed)]
    for row in table.to_dict("records"):
        yield Record(row[source.id].strip(), row[source.sequence], row)


def _of_structures(path: Path) -> Iterator[Record]:
    from mtlbio.sequence.structures import read_structure

    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.suffix.lower() in STRUCTURES)
    if not files:
        raise InputError(f"{path}: no structure in it; expected files that end in {listing(STRUCTURES)}")
    for file in files:
        for name, sequence, columns in read_structure(file):
            yield Record(name, sequence, columns)


def _too(length: int, run: ProteinRun) -> str:
    if length < run.qc.min_length:
        return "too short"
    return "too long" if length > run.qc.max_length else ""


def _part(source: ChainSource, record: Record, run: ProteinRun) -> tuple[str, str]:
    """Part of a chain, "" where clusters decide; and the value of a split that belongs to no part."""
    if source.part:
        return source.part, ""
    if not source.split:
        return "", ""
    value = record.columns.get(source.split, "")
    for part in ("train", "validation", "test", "external"):
        if value in getattr(run.splits, part):
            return part, ""
    return "", value or "(empty)"


def _states(record: Record, column: str | None, states: str, length: int, where: str) -> np.ndarray:
    text = record.columns.get(column, "").strip() if column else ""
    if text.lower() in _GAPS and len(text) != length:
        return np.full(length, MISSING_STATE, dtype=np.uint8)
    if len(text) != length:
        raise InputError(f"{where}: {column} has {len(text)} states; the sequence has {length} residues")
    try:
        return encode_states(text, states)
    except ValueError as error:
        raise InputError(f"{where}: {column}: {error}") from None


def _numbers(record: Record, column: str, length: int, where: str) -> np.ndarray:
    """A value per residue: numbers separated by spaces or commas, or one digit each; nan and ``?`` are missing."""
    text = record.columns.get(column, "").strip()
    if text.lower() in _GAPS and (length != len(text)):
        return np.full(length, np.nan)
    apart = text.replace(",", " ")
    parts = apart.split() if " " in apart or length == 1 else list(text)
    if len(parts) != length:
        raise InputError(f"{where}: {column} has {len(parts)} values; the sequence has {length} residues")
    try:
        values = np.array([np.nan if p.lower() in (*_GAPS, "?") else float(p) for p in parts])
    except ValueError:
        wrong = next(p for p in parts if not _is_number(p))
        raise InputError(
            f"{where}: {column}: {wrong!r} is no number; expected one per residue, nan where missing"
        ) from None
    if np.isinf(values).any():
        raise InputError(f"{where}: {column}: infinite; expected numbers, nan where missing")
    return values


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.lower() in (*_GAPS, "?")
    return True


def _check_range(values: np.ndarray, name: str, kind: str, column: str, where: str) -> None:
    known = values[~np.isnan(values)]
    if kind == "accessibility" and len(known) and (known.min() < 0 or known.max() > 1):
        wrong = known[(known < 0) | (known > 1)][0]
        raise InputError(
            f"{where}: {column}: {wrong:g} is outside 0 to 1; tasks.{name} is the accessible share of a surface"
        )
    if kind == "binary" and not np.isin(known, (0, 1)).all():
        wrong = known[~np.isin(known, (0, 1))][0]
        raise InputError(f"{where}: {column}: {wrong:g} is neither 0 nor 1; tasks.{name} is binary")
