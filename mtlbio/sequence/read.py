"""From the files of a protein run to chains: every mistake is one line that names file, chain and what is valid."""

from __future__ import annotations

import numpy as np

from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.kinds.schemas.chains import ChainSource
from mtlbio.labels.residues import ResidueLabel, residue_kind
from mtlbio.labels.residues.numbers import values
from mtlbio.sequence.chains import Chains, joined
from mtlbio.sequence.letters import encode
from mtlbio.sequence.records import Record, records


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
    tasks = {name: residue_kind(task.kind)(name, task.auxiliary) for name, task in run.tasks.items()}
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

    def __init__(self, run: ProteinRun, tasks: dict[str, ResidueLabel]):
        self.run, self.tasks = run, tasks
        self.rows, self.letters, self.qc = list[dict](), list[np.ndarray](), list[dict]()
        self.labels: dict[str, list[np.ndarray]] = {name: [] for name in tasks}
        self.q3: dict[str, list[np.ndarray]] = {name: [] for name, task in tasks.items() if task.has_coarse}
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
        mask = values(record.columns, source.mask, length, where) if source.mask else None
        resolved = np.ones(length, bool) if mask is None else mask == 1
        for name, task in self.tasks.items():
            fine, coarse = task.read(name, self.run.tasks[name], record.columns, length, resolved, where)
            self.labels[name].append(fine)
            if task.has_coarse:
                self.q3[name].append(coarse)


def _no_label(name: str, run: ProteinRun, there: set[str]) -> str:
    """What is wrong with a task that no chain has: its columns are missing, or hold gaps only."""
    task = run.tasks[name]
    wanted = residue_kind(task.kind).columns(name, task)
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
