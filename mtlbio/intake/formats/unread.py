"""Scans, reads, spectra and other files that no table has been made of yet: what each is, and the tool that makes one.

Documents, pictures and archives are told by :mod:`mtlbio.intake.foreign`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.intake.formats.head import Head, separator_in

_COUNTS = "a table of counts, genes x samples"


@dataclass(frozen=True)
class Unread:
    """One kind of file.

    Attributes
    ----------
    what : in words
    way : how to make a table of it
    endings : of its names, ``.gz`` aside, lower case
    begins : first bytes, any of which tells it whatever its name
    text : the first line of a text file (also a packed one), as a pattern
    """

    what: str
    way: str
    endings: tuple[str, ...]
    begins: tuple[bytes, ...] = ()
    text: str = ""


_R = "in R: x <- readRDS(FILE) (load(FILE) for RData), then write.csv(as.matrix(x), 'expression.csv')"
KINDS = (
    Unread(
        "raw scans of a methylation array (Illumina idat)",
        "make beta values of the folder: in R, betas <- sesame::openSesame(FOLDER) or minfi::read.metharray.exp and "
        "getBeta, then write.csv(betas, 'beta.csv'); scale: beta",
        (".idat",),
        (b"IDAT",),
    ),
    Unread(
        "raw scans of an Affymetrix array (CEL)",
        "normalise the folder: in R, x <- oligo::rma(oligo::read.celfiles(list.celfiles(FOLDER, full.names=TRUE))), "
        "then write.csv(Biobase::exprs(x), 'expression.csv'); scale: log2",
        (".cel",),
        (b"[CEL]\r", b"[CEL]\n", b"\x40\x00\x00\x00\x04\x00\x00\x00"),
    ),
    Unread(
        "raw spectra of a mass spectrometer",
        "search them with DIA-NN, MaxQuant or FragPipe; their tables of protein groups are read as they are",
        (".mzml", ".mzxml", ".wiff", ".wiff2", ".raw", ".mgf", ".imzml", ".mzmlb"),
        (b"\x01\xa1F\x00i\x00n\x00n\x00",),
        r"<\?xml.*<(indexed)?mzML|<(indexed)?mzX?ML",
    ),
    Unread(
        "reads of a sequencer (FASTQ)",
        f"quantify them: nf-core/rnaseq, salmon or STAR make {_COUNTS}; cellranger count makes one of single cells",
        (".fastq", ".fq"),
    ),
    Unread(
        "aligned reads (BAM, SAM or CRAM)",
        f"count them: featureCounts -a genes.gtf -o counts.txt *.bam makes {_COUNTS}, which is read as it is",
        (".bam", ".sam", ".cram", ".bai"),
        (b"CRAM",),
        r"@HD\tVN:|BAM\x01",
    ),
    Unread(
        "events of a flow cytometer (FCS)",
        "gate them, and export one row per sample with the shares or medians of populations (flowWorkspace, FlowJo, "
        "OMIQ: statistics as csv)",
        (".fcs",),
        (b"FCS2.0", b"FCS3.0", b"FCS3.1", b"FCS3.2"),
    ),
    Unread(
        "genotypes (VCF, BCF or PLINK)",
        "make a table of dosages of the variants in question, one row per sample: plink2 --vcf FILE --export A (or "
        "--bfile), and give it with --table",
        (".vcf", ".bcf", ".pgen", ".pvar", ".bgen"),
        (b"\x6c\x1b\x01", b"BCF\x02"),
        r"##fileformat=VCF",
    ),
    Unread(
        "a track of signal along the genome (bigWig or bigBed)",
        "sum it over genes or peaks: deepTools multiBigwigSummary BED-file --outRawCounts makes a table",
        (".bw", ".bigwig", ".bb", ".bigbed"),
        (b"\x26\xfc\x8f\x88", b"\x88\x8f\xfc\x26", b"\xeb\xf2\x89\x87", b"\x87\x89\xf2\xeb"),
    ),
    Unread(
        "an object of Seurat (h5Seurat)",
        "convert it: in R, SeuratDisk::Convert(FILE, dest = 'h5ad')",
        (".h5seurat",),
    ),
    Unread(
        "an object of R",
        f"{_R}; of Seurat or SingleCellExperiment: write an h5ad (anndataR::write_h5ad, zellkonverter::writeH5AD)",
        (".rds", ".rdata", ".rda"),
        (b"RDX2", b"RDX3", b"RDA2", b"RDA3"),
        r"(RD[XA][23])",
    ),
    Unread(
        "samples in GEO's XML (MINiML)",
        "download the series matrix (GSE..._series_matrix.txt.gz) instead, which is read as it is",
        (),
        (),
        r"\s*(<\?xml[^>]*>\s*)?<MINiML",
    ),
)
_FASTQ = ("@", "+")
# Text that may look as if it had columns; a text with columns under any other of the names is a table.
_OF_TEXT = (".mzml", ".mzxml", ".mgf", ".imzml", ".fastq", ".fq", ".sam", ".vcf")


def check_readable(head: Head) -> None:
    """Raise InputError at a file (or a folder of files) that holds no table, with the tool that makes one of it."""
    if head.names:
        of_files = [kind for name in head.names if (kind := _by_ending(name)) is not None]
        if of_files and len(of_files) > len(head.names) / 2:
            kind = max(set(of_files), key=of_files.count)
            raise InputError(
                f"{head.path}: a folder with {of_files.count(kind)} files that are {kind.what}; {_way(kind, head)}"
            )
        return
    kind = _of_file(head)
    if kind is not None:
        raise InputError(f"{head.path}: {kind.what}; {_way(kind, head)}")


def _of_file(head: Head) -> Unread | None:
    by_bytes = [kind for kind in KINDS if kind.begins and head.magic.startswith(kind.begins)]
    if by_bytes:
        return by_bytes[0]
    start = " ".join(head.lines[:3])[:2000]
    for kind in KINDS:
        if kind.text and re.match(kind.text, start, re.IGNORECASE):
            return kind
    if len(head.lines) > 3 and (head.lines[0][:1], head.lines[2][:1]) == _FASTQ and _is_sequence(head.lines[1]):
        return next(kind for kind in KINDS if ".fastq" in kind.endings)
    named = _by_ending(head.path.name)
    return None if not _by_ending(head.path.name, _OF_TEXT) and _is_table(head) else named


def _is_table(head: Head) -> bool:
    """Whether a text file has columns, whatever its name: a table of counts may be called S1.raw."""
    if len(head.columns) < 2 or len(head.lines) < 2:
        return False
    separator = separator_in(head.first)
    counts = [line.count(separator) for line in head.lines[:5] if line.strip()]
    return max(counts) - min(counts) <= 1


def _is_sequence(line: str) -> bool:
    return re.fullmatch(r"[ACGTN]+", line.strip()) is not None


def _by_ending(name: str, among: tuple[str, ...] = ()) -> Unread | None:
    """The kind that a name's ending tells, if it is ``among`` these (or any)."""
    low = name.lower()
    for kind in KINDS:
        endings = tuple(ending for ending in kind.endings if not among or ending in among)
        if endings and low.removesuffix(".gz").removesuffix(".bz2").endswith(endings):
            return kind
    return None


def _way(kind: Unread, head: Head) -> str:
    folder = head.path if head.names or head.path.is_dir() else head.path.parent
    return kind.way.replace("FILE", head.path.name).replace("FOLDER", f"'{Path(folder).name or '.'}'")
