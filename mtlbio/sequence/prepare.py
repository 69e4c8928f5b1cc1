"""Step ``prepare`` of a protein run: read and check the chains, hold out clusters of them."""

from pathlib import Path

import numpy as np

from mtlbio.cohort.qc import QcList
from mtlbio.errors import InputError
from mtlbio.kinds.protein import LEAST_CHAINS
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.labels.residues.alphabet import MISSING_STATE, Q3, Q8
from mtlbio.progress import say
from mtlbio.sequence.chains import HELD_OUT, PARTS, Chains, write_chains
from mtlbio.sequence.features import open_wide, wide_of
from mtlbio.sequence.read import read_sources
from mtlbio.sequence.split import assign_parts, largest_cluster, splits_table
from mtlbio.tables import QC, SPLITS, write_table


def prepare(run: ProteinRun, results: Path) -> None:
    """Write ``cohort.h5ad`` (the chains), ``qc.tsv`` and ``splits.tsv``.

    Raises
    ------
    InputError
        One line on the first thing that is wrong: see :mod:`mtlbio.sequence.read` and :mod:`mtlbio.sequence.split`.
    """
    results = Path(results)
    chains, qc = read_checked(run)
    write_chains(chains, results / "cohort.h5ad")
    write_table(qc.table(), results / "qc.tsv", QC)
    write_table(splits_table(chains), results / "splits.tsv", SPLITS)
    counts = chains.obs["part"].value_counts()
    few = too_few(chains)
    if few:
        say(f"warning: {few}")
    parts = ", ".join(f"{counts[part]} {part}" for part in PARTS if part in counts)
    say(f"chains: {parts}; {len(qc.rows)} left out (qc.tsv)")
    for name in chains.q3:
        codes = chains.labels[name]
        states = set(np.unique(codes[codes != MISSING_STATE]))
        if states and states <= {Q8.index(state) for state in Q3}:
            say(f"warning: tasks.{name}.q8: only {', '.join(Q3)} occur; a column of three states belongs to q3")
    for name in chains.tasks:
        say(f"{name}: known of {chains.known(name).sum():,} residues in {chains.labelled(name).sum():,} chains")


def check(run: ProteinRun) -> None:
    """Everything that :func:`prepare` would complain about, and what the trial would."""
    few = too_few(read_checked(run)[0])
    if few:
        raise InputError(few)


def too_few(chains: Chains) -> str | None:
    """What to say where there are too few held-out chains to put anything on trial."""
    held_out = len(chains.of(*HELD_OUT))
    if held_out >= LEAST_CHAINS:
        return None
    said = f"splits: {held_out} of {len(chains)} chains are held out; the trial needs {LEAST_CHAINS} or more"
    return f"{said}; {largest_cluster(chains.obs) or 'raise splits.test_share, or give the test part more chains'}"


def read_checked(run: ProteinRun) -> tuple[Chains, QcList]:
    """Chains with their parts, and the list of what was left out."""
    chains, qc = read_sources(run)
    chains, repeats = assign_parts(chains, run.splits)
    sources = open_wide(run.features.profiles, run.features.profile_arrays, run.features.embeddings)
    for name, source in sources.items():
        without = sum(not source.has(chain) for chain in chains.names)
        if without == len(chains):
            raise InputError(f"features.{name}: has none of the run's chains; found other names")
        if without:
            qc.add([f"{without} chains"], "feature", f"without {name}", "told by a flag")
    for chain, length in zip(chains.names, chains.lengths, strict=True):
        wide_of(chain, int(length), sources)
    for name, task in chains.tasks.items():
        parts = ("train",) if task.auxiliary else ("train", "validation", "test")
        for part in parts:
            if not chains.labelled(name)[chains.of(part)].any():
                raise InputError(
                    f"tasks.{name}: no chain of part {part} has this label; expected some in {', '.join(parts)}"
                )
    qc.rows += repeats.rows
    return chains, qc
