"""salmon's ``quant.sf`` and kallisto's ``abundance.tsv``, a folder per sample: transcripts, summed to genes where it is
known which belong together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.intake.formats.delimited import by_feature, plain, read_below, text_column
from mtlbio.intake.formats.head import Head, look, separator_in
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.names import by_symbol
from mtlbio.intake.formats.per_sample import gather, rounded
from mtlbio.intake.notes import notice

_MAP_ENDINGS = (".tsv", ".csv", ".txt")


@dataclass(frozen=True)
class Quantifier:
    """A program that estimates counts of transcripts.

    Attributes
    ----------
    program : its name
    files : names of the file that it writes for a sample, those with genes first
    target, counts : its columns
    header : the columns that tell it from other tables
    """

    program: str
    files: tuple[str, ...]
    target: str
    counts: str
    header: tuple[str, ...]

    def fits(self, head: Head) -> bool:
        """Whether a folder holds such files, or a file is one."""
        return any(head.files(name) for name in self.files) or head.columns[: len(self.header)] == self.header

    def read(self, path: Path) -> Content:
        """Estimated counts, rounded after transcripts were summed."""
        files, name = [path], self.files[-1]
        if path.is_dir():
            head = look(path)
            name = next(name for name in self.files if len(head.files(name)) >= len(head.files(self.files[-1])))
            files = head.files(name)
        tables, also = gather(path, files, self._one)
        values = tables[self.counts]
        if name == self.files[-1]:
            values = _to_genes(values, path)
        notice(path, f"{self.program}: column {self.counts} of {name} is read")
        why = f"counts of {self.program}"
        return Content(rounded(values, path, "counts"), "counts", why, also)

    def _one(self, path: Path) -> pd.DataFrame:
        table = read_below(path, f"what {self.program} writes", columns=[self.target, self.counts], text=[self.target])
        return by_feature(table, table[self.target], [self.counts], path)


def _to_genes(values: pd.DataFrame, path: Path) -> pd.DataFrame:
    transcripts = [str(name) for name in values.columns]
    parts = [name.split("|") for name in transcripts]
    if all(len(part) > 6 for part in parts):  # GENCODE: transcript|gene|havana|havana|name|symbol|length|...
        genes, symbols = [part[1] for part in parts], dict((part[1], part[5]) for part in parts)
        notice(path, "names of transcripts are those of GENCODE, which hold the gene: summed to genes")
        return _summed(values, genes, symbols, path)
    found = _map(path)
    if found is None:
        notice(
            path,
            "rows are transcripts, not genes: sets of genes will not find them; put a table tx2gene.tsv (transcript, "
            "gene) into the folder and they are summed to genes",
            doubt=True,
        )
        return values
    file, of, names = found
    genes = [of.get(t) or of.get(t.split(".")[0]) or "" for t in transcripts]
    unknown = sum(not gene for gene in genes)
    if unknown == len(genes):
        notice(path, f"none of the transcripts stands in {file.name}: they are kept as they are", doubt=True)
        return values
    if unknown:
        notice(path, f"{unknown} transcripts are not in {file.name} and left out", doubt=True)
    notice(path, f"transcripts are summed to genes by {file.name}")
    return _summed(values, genes, names, path)


def _summed(values: pd.DataFrame, genes: list[str], symbols: dict[str, str], path: Path) -> pd.DataFrame:
    codes, unique = pd.factorize(np.array(genes, dtype=object))
    matrix = values.to_numpy()
    totals = np.zeros((len(matrix), len(unique)))
    np.add.at(totals.T, codes, matrix.T)
    known = np.array([gene != "" for gene in unique])
    genes = [str(gene) for gene in unique[known]]
    by_gene = pd.DataFrame(totals[:, known], index=values.index, columns=genes)
    return by_symbol(by_gene, [symbols.get(gene, "") for gene in genes], path, added=True) if symbols else by_gene


def _map(path: Path) -> tuple[Path, dict[str, str], dict[str, str]] | None:
    """The table of transcripts and genes: its file, transcript -> gene, gene -> symbol (if it has them)."""
    folders = [path, path.parent] if path.is_dir() else [path.parent, path.parent.parent]
    named = [f for folder in folders for f in sorted(folder.glob("*")) if f.is_file() and _is_map(f.name)]
    if not named:
        return None
    file = named[0]
    head = look(file)
    separator = separator_in(head.lines[head.above]) if head.above < len(head.lines) else "\t"
    columns = [plain(name) for name in head.columns]
    titled = not any(c.upper().startswith(("ENST", "ENSMUST", "NM_", "NR_")) for c in head.columns[:1])
    width = len(columns)
    what = "a table of transcripts and genes"
    table = read_below(file, what, head.above + titled, separator, text=range(width), width=width)
    at = {
        what: next((i for i, c in enumerate(columns) if titled and c in names), default)
        for what, names, default in (
            ("transcript", ("transcriptid", "txname", "tx", "txid", "targetid", "transcript", "enst"), 0),
            ("gene", ("geneid", "gene", "ensg", "ensgene"), 1),
            ("symbol", ("genename", "symbol", "genesymbol", "hgncsymbol"), 2 if width > 2 else None),
        )
    }
    texts = {what: text_column(table[i]) for what, i in at.items() if i is not None}
    genes = dict(zip(texts["transcript"], texts["gene"], strict=True))
    genes |= {transcript.split(".")[0]: gene for transcript, gene in genes.items()}
    symbols = dict(zip(texts["gene"], texts["symbol"], strict=True)) if "symbol" in texts else {}
    return file, genes, symbols


def _is_map(name: str) -> bool:
    low = name.lower().removesuffix(".gz")
    return low.endswith(_MAP_ENDINGS) and any(word in low for word in ("tx2gene", "t2g", "transcript_to_gene"))


_SALMON = ("Name", "Length", "EffectiveLength", "TPM", "NumReads")
_KALLISTO = ("target_id", "length", "eff_length", "est_counts", "tpm")
SALMON = Quantifier("salmon", ("quant.genes.sf", "quant.sf"), "Name", "NumReads", _SALMON)
KALLISTO = Quantifier("kallisto", ("abundance.tsv",), "target_id", "est_counts", _KALLISTO)
SALMON_LAYOUT = Layout("salmon", "quant.sf of salmon", SALMON.fits, SALMON.read)
KALLISTO_LAYOUT = Layout("kallisto", "abundance.tsv of kallisto", KALLISTO.fits, KALLISTO.read)
