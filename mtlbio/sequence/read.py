"""From the files of a protein run to chains: every mistake is one line that names file, chain and what is valid."""

import numpy as np
import pandas as pd

from mtlbio.cohort.qc import QcList
from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.kinds.schemas.chains import ChainSource
from mtlbio.labels.residues import ResidueLabel, residue_kind
from mtlbio.labels.residues.alphabet import MISSING_STATE, to_q3
from mtlbio.labels.residues.numbers import values
from mtlbio.sequence.chains import PARTS, Chains
from mtlbio.sequence.letters import AMBIGUOUS, encode
from mtlbio.sequence.records import records


def read_sources(run: ProteinRun) -> tuple[Chains, QcList]:
    """All chains of a run, and the list of those that were left out.

    Identical sequences are one chain if they come from one part: the first with the most labels is kept. ``part`` and
    ``cluster`` are as the files say ("" where they do not); :mod:`mtlbio.sequence.split` fills them in.

    Raises
    ------
    InputError
        A missing column, letters that are no amino acids, labels of the wrong length or out of range, a chain that
        occurs twice or nothing left.
    """
    tasks = {name: residue_kind(task.kind)(name, task.auxiliary) for name, task in run.tasks.items()}
    qc, columns, entries = QcList(), set[str](), dict[str, str]()  # entries: of the YAML, by chain
    rows, letters, labels = list[dict](), list[np.ndarray](), list[dict]()
    for key, source in run.chains.items():
        for name, sequence, text in records(source, key):
            where = f"{source.path}: chain {name}"
            columns |= text.keys()
            if name in entries:
                raise InputError(f"{where}: occurs twice (chains.{entries[name]} and chains.{key}); give it one name")
            try:
                codes = encode(sequence)
            except ValueError as error:
                raise InputError(f"{where}: {error}; valid: the twenty letters and {listing(AMBIGUOUS)}") from None
            part, reason, detail = _part(text, source, len(codes), run)
            if reason:
                qc.add([name], "chain", reason, detail)
                continue
            entries[name] = key
            cluster = text.get(source.cluster, "") if source.cluster else ""
            of_source = text.get(source.source, key) if source.source else key
            rows.append({"chain": name, "source": of_source or key, "cluster": cluster, "part": part})
            letters.append(codes)
            labels.append(_labels(text, source, len(codes), run, tasks, where))
    if not rows:
        raise InputError(
            f"chains: none left of {listing(s.path for s in run.chains.values())}; qc would drop all of them"
        )
    chains = _joined(rows, letters, labels, tasks)
    empty = [name for name in tasks if not chains.known(name).any()]
    if empty:
        raise InputError(_no_label(empty[0], run, columns))
    return chains, qc


def _part(text: dict[str, str], source: ChainSource, length: int, run: ProteinRun) -> tuple[str, str, str]:
    """Part of a chain, "" where clusters decide; and why it is left out, if so, reason and detail."""
    if not run.qc.min_length <= length <= run.qc.max_length:
        return "", "too short" if length < run.qc.min_length else "too long", f"{length} residues"
    if source.part or not source.split:
        return source.part or "", "", ""
    value = text.get(source.split, "")
    part = next((part for part in PARTS if value in getattr(run.splits, part)), None)
    return (part, "", "") if part else ("", "split of no part", value or "(empty)")


def _labels(
    text: dict[str, str], source: ChainSource, length: int, run: ProteinRun, tasks: dict[str, ResidueLabel], where: str
) -> dict[str, tuple]:
    """Labels of a chain, fine and coarse, by task; missing where a residue was not resolved."""
    mask = values(text, source.mask, length, where) if source.mask else None
    resolved = np.ones(length, bool) if mask is None else mask == 1
    return {n: task.read(n, run.tasks[n], text, length, resolved, where) for n, task in tasks.items()}


def _joined(
    rows: list[dict], letters: list[np.ndarray], labels: list[dict[str, tuple]], tasks: dict[str, ResidueLabel]
) -> Chains:
    """Chains of lists with one entry per chain; missing Q3 codes are filled in from Q8."""
    lengths = [len(codes) for codes in letters]
    obs = pd.DataFrame(rows).set_index("chain").assign(length=lengths)
    fine, coarse = dict[str, np.ndarray](), dict[str, np.ndarray]()
    for name, task in tasks.items():
        fine[name] = np.concatenate([of_chain[name][0] for of_chain in labels])
        if task.has_coarse:
            derived = to_q3(fine[name])
            three = np.concatenate([of_chain[name][1] for of_chain in labels])
            coarse[name] = np.where(derived != MISSING_STATE, derived, three)
    return Chains(obs, np.concatenate([[0], np.cumsum(lengths)]), np.concatenate(letters), fine, coarse, tasks)


def _no_label(name: str, run: ProteinRun, present: set[str]) -> str:
    """What is wrong with a task that no chain has: its columns are missing, or hold gaps only."""
    task = run.tasks[name]
    columns = residue_kind(task.kind).columns(name, task)
    said = f"tasks.{name}: no residue of any chain has this label"
    if present.isdisjoint(columns):
        return f"{said}; no file has a column {' or '.join(columns)}; found {listing(sorted(present))}"
    return f"{said}; {' and '.join(columns)} hold nothing but gaps"
