"""Files that hold no table: what each is, and the tool that makes a table of it."""

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


_SPREADSHEET = "open it in a spreadsheet and save it as xlsx or csv"
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
        "a single-cell file of loom",
        "convert it: in Python, anndata.io.read_loom(FILE).write_h5ad('cells.h5ad')",
        (".loom",),
    ),
    Unread("a document (PDF)", "the table itself is needed: ask for it as xlsx or csv", (".pdf",), (b"%PDF",)),
    Unread(
        "a text document",
        "copy its table into a spreadsheet and save it as xlsx or csv",
        (".docx", ".doc", ".rtf", ".odt", ".pages", ".pptx", ".ppt"),
        (b"{\\rtf",),
    ),
    Unread(
        "a spreadsheet in an older or another format",
        _SPREADSHEET,
        (".xls", ".ods", ".numbers", ".xlsb"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",),
    ),
    Unread(
        "a file of SPSS, Stata or SAS",
        "convert it: in R, write.csv(haven::read_sav(FILE), 'metadata.csv') (read_dta, read_sas)",
        (".sav", ".dta", ".sas7bdat", ".xpt"),
        (b"$FL2", b"$FL3", b"<stata_dta>"),
    ),
    Unread(
        "an array of MATLAB or numpy",
        "it has no names of samples and genes: write it as csv with both, or as h5ad",
        (".mat", ".npy", ".npz"),
        (b"MATLAB 5.0", b"\x93NUMPY"),
    ),
    Unread(
        "a pickle of Python",
        "it could run any code when it is read: write the table as parquet or csv (frame.to_parquet)",
        (".pkl", ".pickle", ".joblib"),
    ),
    Unread(
        "a feather file", "convert it: pandas.read_feather(FILE).to_parquet('x.parquet')", (".feather",), (b"ARROW1",)
    ),
    Unread("a database", "export the table as csv", (".sqlite", ".db", ".mdb", ".accdb"), (b"SQLite format 3",)),
    Unread(
        "an archive of several files",
        "unpack it (tar -xf FILE, or 7z x FILE) and give the file or folder that is inside",
        (".tar", ".tgz", ".tar.gz", ".7z", ".rar"),
        (b"7z\xbc\xaf", b"Rar!\x1a"),
    ),
    Unread(
        "a web page, not the file behind it",
        "download the file itself (the link behind its name, or wget)",
        (".html", ".htm"),
        (),
        r"\s*(<!doctype html|<html)",
    ),
    Unread(
        "an error message of a server, not the file",
        "download it again",
        (),
        (),
        r"\s*(<\?xml[^>]*>\s*)?<Error><Code>",
    ),
    Unread(
        "a placeholder of Git LFS, not the file",
        "get the file: git lfs pull",
        (),
        (b"version https://git-lfs",),
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
        # Word and Excel of old, and their successors, share a container: the name tells which
        by_name = _by_ending(head.path.name)
        return by_name if by_name is not None and "document" in by_name.what else by_bytes[0]
    if head.magic[257:262] == b"ustar":
        return next(kind for kind in KINDS if ".tar" in kind.endings)
    start = " ".join(head.lines[:3])[:2000]
    for kind in KINDS:
        if kind.text and re.match(kind.text, start, re.IGNORECASE):
            return kind
    if len(head.lines) > 3 and (head.lines[0][:1], head.lines[2][:1]) == _FASTQ and _is_sequence(head.lines[1]):
        return next(kind for kind in KINDS if ".fastq" in kind.endings)
    named = _by_ending(head.path.name)
    return None if named is not None and not named.text and _is_table(head) else named


def _is_table(head: Head) -> bool:
    """Whether a text file has columns, whatever its name: tables are called .xls or .mat by some programs."""
    if len(head.columns) < 2 or len(head.lines) < 2:
        return False
    separator = separator_in(head.first)
    counts = [line.count(separator) for line in head.lines[:5] if line.strip()]
    return max(counts) - min(counts) <= 1


def _is_sequence(line: str) -> bool:
    return re.fullmatch(r"[ACGTN]+", line.strip()) is not None


def _by_ending(name: str) -> Unread | None:
    low = name.lower()
    for ending in (low, low.removesuffix(".gz"), low.removesuffix(".bz2")):
        for kind in KINDS:
            if kind.endings and ending.endswith(kind.endings):
                return kind
    return None


def _way(kind: Unread, head: Head) -> str:
    folder = head.path if head.names or head.path.is_dir() else head.path.parent
    return kind.way.replace("FILE", head.path.name).replace("FOLDER", f"'{Path(folder).name or '.'}'")
