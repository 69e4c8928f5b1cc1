"""From the files of a protein run to chains: every mistake is one line that names file, chain and what is valid."""

from __future__ import annotations

import numpy as np

from mtlbio.errors import InputError, listing
from mtlbio.protein import ChainSource, ProteinRun
from mtlbio.sequence.chains import Chains, ResidueTask, joined
from mtlbio.sequence.letters import MISSING_STATE, Q3, Q8, encode, encode_states
from mtlbio.sequence.records import Record, records

_GAPS = ("", "na", "nan", "n/a", "none")


def read_run(run: ProteinRun) -> tuple[Chains, list[dict]]:
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
    kept = _Kept(run, tasks)
    for key, source in run.chains.items():
        for record in records(source, key, _columns(run, source)):
            kept.take(record, key, source)
    if not kept.rows:
        raise InputError(
            f"chains: none left of {listing(s.path for s in run.chains.values())}; qc would drop all of them"
        )
    chains = joined(kept.rows, kept.letters, kept.labels, kept.q3, tasks)
    empty = [name for name in tasks if not chains.known(name).any()]
    if empty:
        raise InputError(_no_label(empty[0], run, kept.columns))
    return chains, kept.qc


class _Kept:
    """The chains of a run that were read and kept so far.

    Attributes
    ----------
    rows, letters, labels, q3 : of every chain, as :func:`mtlbio.sequence.chains.joined` takes them
    qc : rows of ``qc.tsv`` on the chains that were left out
    columns : names of the columns of all files
    """

    def __init__(self, run: ProteinRun, tasks: dict[str, ResidueTask]):
        self.run, self.tasks = run, tasks
        self.rows, self.letters, self.qc = [], [], []
        self.labels = {name: [] for name in tasks}
        self.q3 = {name: [] for name, task in tasks.items() if task.kind == "secondary_structure"}
        self.columns: set[str] = set()
        self._entries: dict[str, str] = {}  # chain -> entry of the YAML that it came from

    def take(self, record: Record, key: str, source: ChainSource) -> None:
        """Check a chain of the entry ``key`` and keep it, or note why it is left out."""
        where = f"{source.path}: chain {record.name}"
        self.columns |= record.columns.keys()
        if record.name in self._entries:
            raise InputError(
                f"{where}: occurs twice (chains.{self._entries[record.name]} and chains.{key}); give it one name"
            )
        try:
            codes = encode(record.sequence)
        except ValueError as error:
            raise InputError(f"{where}: {error}; valid: the twenty letters and {listing('XBZJUO')}") from None
        dropped, detail = _too(len(codes), self.run), f"{len(codes)} residues"
        if not dropped:
            part, detail = _part(source, record, self.run)
            dropped = "split of no part" if detail else ""
        if dropped:
            self.qc.append({"item": record.name, "kind": "chain", "reason": dropped, "detail": detail})
            return
        self._entries[record.name] = key
        self._label(record, source, len(codes), where)
        cluster = record.columns.get(source.cluster, "") if source.cluster else ""
        of_source = record.columns.get(source.source, key) if source.source else key
        self.rows.append({"chain": record.name, "source": of_source or key, "cluster": cluster, "part": part})
        self.letters.append(codes)

    def _label(self, record: Record, source: ChainSource, length: int, where: str) -> None:
        """Labels of every task, missing where a residue was not resolved."""
        mask = _numbers(record, source.mask, length, where) if source.mask else None
        resolved = np.ones(length, bool) if mask is None else mask == 1
        for name, task in self.tasks.items():
            own = self.run.tasks[name]
            if task.kind == "secondary_structure":
                eight, three = (_states(record, c, s, length, where) for c, s in ((own.q8, Q8), (own.q3, Q3)))
                self.labels[name].append(np.where(resolved, eight, MISSING_STATE).astype(np.uint8))
                self.q3[name].append(np.where(resolved, three, MISSING_STATE).astype(np.uint8))
            else:
                values = _numbers(record, own.column or name, length, where)
                _check_range(values, name, task.kind, own.column or name, where)
                self.labels[name].append(np.where(resolved, values, np.nan).astype(np.float32))


def _no_label(name: str, run: ProteinRun, there: set[str]) -> str:
    """What is wrong with a task that no chain has: its columns are missing, or hold gaps only."""
    task = run.tasks[name]
    wanted = [c for c in (task.q8, task.q3) if c] or [task.column or name]
    said = f"tasks.{name}: no residue of any chain has this label"
    if there.isdisjoint(wanted):
        return f"{said}; no file has a column {' or '.join(wanted)}; found {listing(sorted(there))}"
    return f"{said}; {' and '.join(wanted)} hold nothing but gaps"


def _columns(run: ProteinRun, source: ChainSource) -> list[str]:
    return [c for c in (source.id, source.sequence, source.source, source.split, source.cluster, source.mask) if c]


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
