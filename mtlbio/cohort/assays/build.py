"""From the files of several assays to one cohort whose samples may lack some of them."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import SEPARATOR, said
from mtlbio.cohort.check import check_gene_sets
from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.cohort.expression import read_expression, sample_names
from mtlbio.cohort.leak import say_leaks
from mtlbio.cohort.measurements import Measurements, check_values
from mtlbio.cohort.metadata import read_metadata
from mtlbio.cohort.qc import QcList, quality_control
from mtlbio.cohort.read import Raw, described, joined, measured, without_genes
from mtlbio.cohort.samples import auxiliary_apart, checked, list_missing_covariates, samples_of
from mtlbio.cohort.twins import check_twins
from mtlbio.cohort.values.missing import gaps_in
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.intake.notes import notice, noticing
from mtlbio.kinds.schemas import BlocksRun
from mtlbio.progress import say
from mtlbio.text import MEASURED_BLOCKS

LEAST = 20  # samples with a block
_PLACES = ("layer", "modality", "genes")  # in a file, where new samples are looked for too
RARE = 5  # samples with the same blocks, from which they are a level of their own


@dataclass(frozen=True)
class Part:
    """One block after quality control: ``values`` (samples, genes) on a log-like scale, and what it was read from.
    ``raw`` (samples, genes) are the values as they were read."""

    samples: np.ndarray
    genes: np.ndarray
    values: np.ndarray
    raw: np.ndarray
    size: float | None
    source: str


def cohort_of_blocks(run: BlocksRun) -> tuple[Cohort, QcList]:
    """The cohort of a run with blocks: every sample that has a block or more, and gaps where it lacks one.

    Raises
    ------
    InputError
        A file of a block cannot be used, as of a cohort, or too few samples have it.
    """
    qc = QcList()
    source, metadata = _metadata(run)
    parts = {name: _read(run, name, source, metadata, qc) for name in run.blocks}
    there = metadata.index.isin(np.concatenate([part.samples for part in parts.values()]))
    raw = Raw(without_genes(metadata.index[there].to_numpy().astype(str), source), metadata[there], source)
    _, obs, tasks, covariates = samples_of(run, raw, qc, scale="z")
    obs = checked(run, obs, tasks, covariates, source)
    list_missing_covariates(obs, list(covariates), qc)
    have = pd.DataFrame({name: obs.index.isin(part.samples) for name, part in parts.items()}, index=obs.index)
    _list_lacking(run, have, qc)
    for part in parts.values():
        rows = pd.Index(part.samples).get_indexer(obs.index[obs.index.isin(part.samples)])
        own = obs.loc[part.samples[rows]]
        say_leaks(part.raw[rows], part.genes, own, tasks, part.source, table=False)
        check_twins(part.values[rows], own, run.qc.twins == "keep", qc, part.source)
    check_gene_sets(run, np.unique(np.concatenate([part.genes for part in parts.values()])), source, qc)
    values = np.concatenate([_beside(part, obs) for part in parts.values()], axis=1)
    genes = [f"{name}{SEPARATOR}{gene}" for name, part in parts.items() for gene in part.genes]
    obs, covariates = with_measured_blocks(obs, covariates, have)
    about = {
        name: {"scale": own.scale, "size": parts[name].size}
        | {key: getattr(own, key) for key in _PLACES if getattr(own, key) is not None}
        for name, own in run.blocks.items()
    }
    preprocessing = {"kind": run.kind, "blocks": about}
    return auxiliary_apart(Cohort(values, tuple(genes), obs, tasks, covariates, preprocessing), run), qc


def read_roster(run: BlocksRun, qc: QcList) -> Raw:
    """The samples that have a block or more; of the files of measurements only the samples' names are read."""
    source, metadata = _metadata(run)
    samples = metadata.index[_named(run, metadata.index).any(axis=1)].to_numpy().astype(str)
    return joined(run, without_genes(samples, source), metadata, source, qc, "blocks")


def roster_covariates(
    run: BlocksRun, obs: pd.DataFrame, covariates: dict[str, CovariateInfo]
) -> tuple[pd.DataFrame, dict[str, CovariateInfo]]:
    """What :func:`with_measured_blocks` adds, from the samples' names in the files."""
    return with_measured_blocks(obs, covariates, _named(run, obs.index))


def _named(run: BlocksRun, samples: pd.Index) -> pd.DataFrame:
    """(samples, blocks) bool: which files name a sample."""
    files = {name: sample_names(block, run.metadata.sample, samples) for name, block in run.blocks.items()}
    return pd.DataFrame({name: samples.isin(names) for name, names in files.items()}, index=samples)


def with_measured_blocks(
    obs: pd.DataFrame, covariates: dict[str, CovariateInfo], have: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, CovariateInfo]]:
    """``obs`` and covariates with the technical covariate of which blocks a sample has, where samples differ in it.

    Who was sent to which assay may go with the disease as a batch does: the audit and every test then know. What fewer
    than ``RARE`` samples have counts as what most have.
    """
    level = pd.Series([said(have.columns[row]) for row in have.to_numpy()], index=obs.index)
    counts = level.value_counts()
    level = level.where(level.map(counts) >= RARE, counts.index[0])
    if level.nunique() < 2:
        return obs, covariates
    info = CovariateInfo(MEASURED_BLOCKS, "technical", "categorical")
    return obs.assign(**{MEASURED_BLOCKS: pd.Categorical(level)}), covariates | {MEASURED_BLOCKS: info}


def _metadata(run: BlocksRun) -> tuple[str, pd.DataFrame]:
    """Path of the description, and its columns that the run uses, by sample."""
    source = str(run.metadata.path)
    return source, described(run, read_metadata(source), source)


def _read(run: BlocksRun, name: str, source: str, metadata: pd.DataFrame, qc: QcList) -> Part:
    """One block as an assay that is alone would be read; what was dropped of it is listed with its name."""
    own, options, about = run.of_block(name), run.blocks[name], QcList()
    say(f"{run.run}: reading {name}")
    try:
        with noticing(pass_on=False) as notes:
            data = _with_values(read_expression(options, run.metadata.sample, metadata.index))
            raw = measured(own, data, metadata, source, about)
            check_values(raw.measurements, options.scale)
        values = raw.measurements.dense()
        made, samples, genes, size = quality_control(
            values, raw.measurements.samples, raw.measurements.genes, options.scale, run.qc, about, data.source
        )
    except InputError as error:
        raise InputError(f"blocks.{name}: {_of_block(str(error), name)}") from None
    for note in notes:
        notice(note.path, _of_block(note.text, name), note.doubt)
    reasons = {"not in expression"}  # they have no such block, which is told below
    rows = [row for row in about.rows if row[2] not in reasons]
    qc.rows += [(item, kind, reason, f"{name}: {detail}" if detail else name) for item, kind, reason, detail in rows]
    part = Part(
        raw.measurements.samples[samples],
        raw.measurements.genes[genes],
        made,
        values[np.ix_(samples, genes)],
        size,
        raw.measurements.source,
    )
    if len(part.samples) < LEAST:
        raise InputError(
            f"{part.source}: blocks.{name}: found in {len(part.samples)} samples; expected {LEAST} or more"
        )
    return part


def _with_values(data: Measurements) -> Measurements:
    """Without the samples of which no value is known: a table of all donors says so of those who lack the block."""
    gaps = gaps_in(data)
    empty = np.zeros(len(data.samples), dtype=bool) if gaps is None else gaps.by_sample == 1
    if not empty.any() or empty.all():
        return data
    notice(data.source, f"{int(empty.sum())} samples without any value: taken for samples that lack the block")
    return data.keep(~empty)


def _of_block(line: str, name: str) -> str:
    """What readers say of the keys of ``expression``, of those of a block."""
    return re.sub(rf"\bexpression\.(?=({'|'.join(Expression.model_fields)})\b)", f"blocks.{name}.", line)


def _list_lacking(run: BlocksRun, have: pd.DataFrame, qc: QcList) -> None:
    for name in run.blocks:
        lacking = have.index[~have[name]]
        qc.add(lacking, "sample", f"no {name}", "kept: predicted from the blocks that it has")


def _beside(part: Part, obs: pd.DataFrame) -> np.ndarray:
    """(samples, genes of the block) float32, NaN where a sample lacks it."""
    values = np.full((len(obs), len(part.genes)), np.nan, dtype=np.float32)
    place = obs.index.get_indexer(pd.Index(part.samples))
    values[place[place >= 0]] = part.values[place >= 0]
    return values
