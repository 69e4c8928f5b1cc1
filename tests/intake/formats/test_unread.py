"""Files that hold no table: one line with the tool that makes one of it."""

from __future__ import annotations

import gzip

import pytest

from mtlbio.cohort.expression import read_expression
from mtlbio.cohort.metadata import read_metadata
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import recognise
from mtlbio.intake.formats.unread import KINDS

FASTQ = "@read1\nACGTN\n+\nIIIII\n@read2\nACGTA\n+\nIIIII\n"
MZML = '<?xml version="1.0" encoding="utf-8"?>\n<indexedmzML xmlns="http://psi.hupo.org/ms/mzml">\n<mzML>\n'


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("R01C01_Grn.idat", b"IDAT\x03\0\0\0", "Illumina idat.*openSesame"),
        ("R01C01_Grn.idat.gz", gzip.compress(b"IDAT\x03\0\0\0", mtime=0), "Illumina idat.*openSesame"),
        ("array", b"IDAT\x03\0\0\0", "Illumina idat"),
        ("GSM1.CEL.gz", gzip.compress(b"\x3b\x01\0\0", mtime=0), "Affymetrix.*oligo::rma"),
        ("GSM1.CEL", b"[CEL]\nVersion=3\n", "Affymetrix"),
        ("run.mzML", MZML.encode(), "mass spectrometer.*DIA-NN"),
        ("spectra.txt", MZML.encode(), "mass spectrometer"),
        ("run.raw", b"\x01\xa1F\0i\0n\0n\0i\0g\0a\0n\0", "mass spectrometer"),
        ("S1_R1.fastq.gz", gzip.compress(FASTQ.encode(), mtime=0), "FASTQ.*nf-core/rnaseq"),
        ("reads.txt", FASTQ.encode(), "FASTQ"),
        ("S1.bam", gzip.compress(b"BAM\1\0\0\0\0", mtime=0), "BAM.*featureCounts"),
        ("S1.sam", b"@HD\tVN:1.6\n", "BAM, SAM"),
        ("S1.fcs", b"FCS3.1    ", "flow cytometer"),
        (
            "calls.vcf.gz",
            gzip.compress(b"##fileformat=VCFv4.2\n#CHROM\tPOS\n", mtime=0),
            "genotypes.*plink2 --vcf calls.vcf.gz",
        ),
        ("calls.txt", b"##fileformat=VCFv4.2\n#CHROM\tPOS\n", "genotypes"),
        ("study.bed", b"\x6c\x1b\x01\0", "genotypes"),
        ("S1.bw", b"\x26\xfc\x8f\x88", "bigWig"),
        ("seurat.rds", gzip.compress(b"X\n\0\0\0", mtime=0), "object of R.*write.csv"),
        ("x.RData", gzip.compress(b"RDX3\nX\n", mtime=0), "object of R"),
        ("cells.h5seurat", b"\x89HDF\r\n\x1a\n", "Seurat.*SeuratDisk::Convert"),
        ("GSE1_family.xml", b"<?xml version='1.0'?>\n<MINiML xmlns='x'>\n", "MINiML.*series matrix"),
    ],
)  # fmt: skip
def test_one_line_with_the_way_out(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    for read in (lambda: read_expression(Expression(path=str(path), scale="log2"), "id"), lambda: read_metadata(path)):
        with pytest.raises(InputError, match=f"{name}: .*({said})") as error:
            read()
        assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_a_folder_of_them(tmp_path):
    for sample in range(3):
        (tmp_path / f"20{sample}_R01C01_Grn.idat").write_bytes(b"IDAT")
    (tmp_path / "sheet.csv").write_text("sample,slide\n1,2\n")
    with pytest.raises(InputError, match="a folder with 3 files that are raw scans of a methylation array"):
        recognise(tmp_path)
    (tmp_path / "deep").mkdir()
    for sample in range(20):
        (tmp_path / f"deep/S{sample}.fastq.gz").write_bytes(b"")
    with pytest.raises(InputError, match="a folder with 20 files that are reads of a sequencer"):
        recognise(tmp_path)


@pytest.mark.parametrize("name", ["counts.raw", "S1.bed", "genes.rda"])
def test_a_table_of_text_under_such_a_name_is_one(tmp_path, name):
    path = tmp_path / name
    path.write_text("gene\tS1\tS2\nIFI6\t1\t2\n")
    assert recognise(path) is None


def test_every_ending_stands_once():
    endings = [ending for kind in KINDS for ending in kind.endings]
    assert len(endings) == len(set(endings)) and all(e.startswith(".") and e == e.lower() for e in endings)
