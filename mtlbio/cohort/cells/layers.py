"""Which matrix of an AnnData a new run takes: counts before logarithms before scaled values.

People keep the counts where they do not look at first: in ``raw.X`` (CELLxGENE), in a layer (scvi-tools, Seurat), and
leave in X what they drew their plots from.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtlbio.cohort.cells.h5ad import EXPECTED, opened_annotated
from mtlbio.cohort.cells.matrix import matrices, place_of
from mtlbio.cohort.cells.modality import likely_modality, modalities
from mtlbio.cohort.cells.stores import Array, Group, is_array, is_group, opened_store
from mtlbio.cohort.genesets import builtin_sets
from mtlbio.cohort.values.gene_names import gene_columns, gene_names
from mtlbio.config import Expression
from mtlbio.errors import InputError, listing
from mtlbio.intake.annotated import is_annotated
from mtlbio.intake.notes import notice

COUNTS, LOGGED, SCALED, LINEAR = "counts", "log-normalised", "scaled", "linear, not logged"
UNIT, NOTHING = "between 0 and 1", "nothing readable"
# what follows from counts can be had of them, not the other way round
_ORDER = (COUNTS, LOGGED, UNIT, LINEAR, SCALED, NOTHING)
# words in the names of layers of whole numbers that are no counts of a gene's whole expression
_PARTS = ("spliced", "ambiguous", "mask", "binary", "peptide", "coverage", "quality", "imputed", "missing")
# columns of var that hold symbols, as CELLxGENE, scanpy, Seurat and Cell Ranger call them
_SYMBOLS = (
    *("feature_name", "gene_symbols", "gene_symbol", "gene_name", "gene_names", "symbol", "symbols", "hgnc_symbol"),
    *("gene_short_name", "external_gene_name", "name", "gene", "feature_names"),
)
_CHUNKS = 64  # side by side
_PEEK = 200_000  # values at each of three places


@dataclass(frozen=True)
class Choice:
    """What a new run takes of a file that holds several matrices, modalities or names of genes.

    Attributes
    ----------
    layer, modality, genes : values of these keys of ``expression``; None where the key is not needed
    notes : what there is and why this was chosen, one line each
    """

    layer: str | None = None
    modality: str | None = None
    genes: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def keys(self) -> dict[str, str]:
        """The keys of ``expression`` that are to be written."""
        named = {"layer": self.layer, "modality": self.modality, "genes": self.genes}
        return {key: value for key, value in named.items() if value is not None}


def choose_layer(path: str | Path) -> Choice:
    """Matrix, modality and gene names for a new run on a file; nothing of a file of another kind.

    Counts are preferred, then logarithms, then whatever X is: of several matrices of one kind X, then the one of most
    genes, then ``raw``. The symbols in a column of ``var`` are preferred where only they share names with the built-in
    gene sets.
    """
    path = Path(path)
    if not is_annotated(path):
        return Choice()
    with opened_store(path, EXPECTED) as top:
        names = modalities(top)
    modality = likely_modality(names) if len(names) > 1 else None
    notes = [f"modality: {modality}, of {listing(names)}"] if modality else []
    with opened_annotated(path, modality) as root:
        layer, words = _layer(root, path)
        genes, more = _genes(root, layer, path)
    return Choice(layer, modality, genes, (*notes, *words, *more))


def tell_averages(expression: Expression) -> None:
    """Say that values of cells which are no counts are averaged over cells, and where the file has counts, if it has.

    A doubt where there are counts, and of z-scores: those of cells say little of donors.
    """
    path, scale = Path(expression.path), expression.scale
    counts = []
    if is_annotated(path):
        with opened_annotated(path, expression.modality) as root:
            kinds = {name: looks(_glance(root[key])) for name, (key, _) in matrices(root).items()}
        counts = [name for name, kind in kinds.items() if kind == COUNTS and not _is_part(name)]
    said = f"pseudobulk: values on scale {scale} are averaged over the cells of a sample"
    if counts:
        key = "without layer" if counts[0] == "X" else f"layer: {counts[0]}"
        said += f"; the file holds counts too, which are summed: expression: {{scale: counts, {key}}}"
    elif scale == "z":
        said += "; z-scores of cells say little of donors: counts are better"
    notice(path, said, doubt=bool(counts) or scale == "z")


def looks(values: np.ndarray) -> str:
    """What kind of values some stored values (without most zeros) are."""
    values = values[np.isfinite(values)]
    if not len(values):
        return NOTHING
    low, high = float(values.min()), float(values.max())
    if (values == np.round(values)).all() and low >= 0:
        return COUNTS if high > 1 else UNIT
    if low < 0:
        return SCALED
    return UNIT if high <= 1 else LOGGED if high <= 50 else LINEAR


def _layer(root: Group, path: Path) -> tuple[str | None, list[str]]:
    found = matrices(root)
    kinds = {name: looks(_glance(root[key])) for name, (key, _) in found.items()}
    sizes = {name: len(gene_names(root, var, None, path)) for name, (_, var) in found.items()}
    if not found:
        raise InputError(f"{path}: no X, raw.X or layer in it: no measurements")
    if list(found) == ["X"]:
        return None, []

    def rank(name: str) -> tuple:
        fraction = name == "X" and kinds[name] == UNIT  # methylation, whose counts are those of reads
        return (
            _is_part(name),
            not fraction,
            _ORDER.index(kinds[name]),
            name != "X",
            -sizes[name],
            "raw" not in name,
            name,
        )

    best = min(found, key=rank)
    there = [f"{'raw.X' if name == 'raw' else name} ({kind}, {sizes[name]} genes)" for name, kind in kinds.items()]
    said = f"matrices: {listing(there, 12)}"
    if best == "X":
        return None, [f"{said}; X is used (expression.layer names another)"]
    why = f"X looks {kinds['X']}" if "X" in found else "there is no X"
    return best, [f"{said}; layer {best} is used, because {why}"]


def _is_part(name: str) -> bool:
    return name not in ("X", "raw") and any(word in name.lower() for word in _PARTS)


def _glance(stored: Group | Array) -> np.ndarray:
    """Stored values from the beginning, the middle and the end of a matrix: of a dense one so many columns that few
    chunks are read, however large it claims to be."""
    values = stored["data"] if is_group(stored) else stored
    if not is_array(values) or values.dtype.kind not in "biuf" or not all(values.shape):
        return np.array([])
    length = values.shape[0]
    chunks = getattr(values, "chunks", None)
    width = min(values.shape[1:], default=1)
    width = min(width, _CHUNKS * chunks[1]) if chunks and values.ndim == 2 else width
    step = max(1, _PEEK // max(width, 1))
    starts = sorted({0, max(0, length // 2 - step // 2), max(0, length - step)})
    parts = [
        values[start : start + step, :width] if values.ndim == 2 else values[start : start + step] for start in starts
    ]
    return np.concatenate([np.asarray(part).ravel() for part in parts]).astype(float)


def _genes(root: Group, layer: str | None, path: Path) -> tuple[str | None, list[str]]:
    key = place_of(root, layer, path)[1]
    sets = [set(members) for members in builtin_sets().values()]

    def known(names: np.ndarray) -> bool:
        return max(len(members.intersection(names)) for members in sets) >= 3

    index = gene_names(root, key, None, path)
    if known(index):
        return None, []
    columns = gene_columns(root, key, path)
    folded = {column.lower(): column for column in columns}
    for column in (folded[name] for name in _SYMBOLS if name in folded):
        if known(gene_names(root, key, column, path)):
            said = f"column {column} of var, whose names the built-in gene sets know, unlike those of {index[0]}"
            return column, [f"genes: {said}"]
    return None, []
