"""The three text files of a 10x folder: the head of the matrix, barcodes and features, with or without a header."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice
from mtlbio.intake.tenx_files import TenxFiles
from mtlbio.reading import check_fits, lines_of, regular_file, text_of, understood

# the shortest entry is "1 1 1" and a line end; gzip shrinks to a thousandth at best
_LEAST_ENTRY, _MOST_SHRUNK = 6, 1032
_ENTRY_IN_MEMORY = 16
_EXPRESSION = "Gene Expression"
_TYPES = (_EXPRESSION, "Antibody Capture", "Peaks", "CRISPR Guide Capture", "Multiplexing Capture", "Custom")
_HEADERS = (
    *("x", "v1", "id", "name", "gene", "genes", "gene_id", "gene_name", "geneid", "symbol", "feature", "features"),
    *("feature_id", "barcode", "barcodes", "cell", "cells", "cell_id", "cellid", "bc_wells", "genome"),
)
_NAMED = ("gene_name", "name", "symbol", "gene_symbol", "feature_name")


@dataclass(frozen=True)
class Lines:
    """Lines of barcodes or features, each cut into its cells."""

    path: Path
    lines: list[list[str]]
    name: int  # the column that names them

    def may_be(self, count: int) -> bool:
        """Whether there are so many, with or without a header."""
        return count == len(self.lines) or (count == len(self.lines) - 1 and self.has_header)

    @property
    def has_header(self) -> bool:
        """Whether the first line is one of names of columns."""
        first = [cell.lower() for cell in self.lines[0]] if self.lines else []
        return any(cell in _HEADERS for cell in first)

    def resolved(self, count: int) -> np.ndarray:
        """The ``count`` names; where there is a line too many, it was a header."""
        lines, column = self.lines, self.name
        if count < len(lines):
            notice(self.path, f"the first line is a header ({listing(lines[0], 4)}): skipped")
            header = [cell.lower() for cell in lines[0]]
            column = next((header.index(name) for name in _NAMED if name in header), column)
            lines = lines[1:]
        return np.array([_cell(line, column) for line in lines]).astype(str)

    def of_expression(self, path: Path, count: int) -> np.ndarray:
        """(count,) the features that are genes where others are measured too (antibodies, peaks); told."""
        lines = self.lines[len(self.lines) - count :]
        width = max(map(len, lines), default=0)
        for column in range(1, width):
            types = np.array([_cell(line, column) for line in lines])
            if _EXPRESSION in types:
                others = {str(t): int((types == t).sum()) for t in np.unique(types) if t != _EXPRESSION}
                if others:
                    left = listing([f"{n} of {t or 'no type'}" for t, n in others.items()])
                    notice(
                        path, f"the {int((types == _EXPRESSION).sum())} features of {_EXPRESSION} are read, not {left}"
                    )
                return types == _EXPRESSION
        return np.ones(count, dtype=bool)


@dataclass(frozen=True)
class Head:
    """What the head of a matrix says: rows and columns."""

    path: Path
    sizes: tuple[int, int]

    def fits(self, features: list[list[str]], barcodes: list[list[str]], part: TenxFiles) -> bool:
        """Whether the matrix is turned: cells in rows. An InputError where its numbers fit neither way."""
        of_features, of_barcodes = Lines(self.path, features, 0), Lines(self.path, barcodes, 0)
        rows, columns = self.sizes
        if of_features.may_be(rows) and of_barcodes.may_be(columns):
            return False
        if of_barcodes.may_be(rows) and of_features.may_be(columns):
            notice(self.path, f"cells in rows ({rows:,} barcodes): read so")
            return True
        for count, found, file in ((rows, features, part.features), (columns, barcodes, part.barcodes)):
            if count != len(found) and file is not None:
                there = f"{file.name} has {len(found):,} lines"
                raise InputError(f"{self.path}: claims {count:,} where {there}; expected the same number")
        return False


def check_head(matrix: Path) -> Head:
    """The head of a matrix in MatrixMarket format; an InputError where it is none, or claims what cannot be."""
    size = regular_file(matrix, "a matrix in MatrixMarket format").st_size
    with understood(matrix, "text in MatrixMarket format"), text_of(matrix, "a matrix") as text:
        lines = lines_of(text, matrix)
        banner = next(lines, "")
        numbers = next((line.split() for line in lines if not line.startswith("%") and line.strip()), [])
    words = banner.lower().split()
    if words[:3] != ["%%matrixmarket", "matrix", "coordinate"] or words[4:5] != ["general"] or words[3] == "complex":
        raise InputError(
            f"{matrix}: begins with {' '.join(banner.split())[:60]!r}; expected "
            f"%%MatrixMarket matrix coordinate integer general"
        )
    if len(numbers) != 3 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise InputError(f"{matrix}: found {' '.join(numbers)[:60]!r} for its size; expected genes, cells and entries")
    rows, columns, entries = (int(number) for number in numbers)
    most = size * (_MOST_SHRUNK if matrix.suffix == ".gz" else 1) // _LEAST_ENTRY
    if entries > min(most, rows * columns):
        raise InputError(
            f"{matrix}: claims {entries:,} entries of {rows:,} x {columns:,} in {size:,} bytes; expected at most "
            f"{min(most, rows * columns):,}: a damaged file"
        )
    check_fits(matrix, entries * _ENTRY_IN_MEMORY)
    return Head(matrix, (rows, columns))


def barcodes_of(path: Path) -> Lines:
    """Lines of a file of barcodes; a first column that only counts the lines is passed over."""
    lines = _lines(path)
    return Lines(path, lines, 1 if _counts(lines) else 0)


def features_of(path: Path) -> Lines:
    """Lines of a file of features: the name is the second column (identifier, name, type), or the only one."""
    lines = _lines(path)
    first = 1 if _counts(lines) else 0
    second = [line[first + 1] for line in lines if len(line) > first + 1]
    named = len(second) == len(lines) and all(second) and not set(second).issubset(_TYPES)
    if named and all(any(c.isalpha() for c in cell) for cell in second[:50]):
        return Lines(path, lines, first + 1)
    return Lines(path, lines, first)


def _lines(path: Path) -> list[list[str]]:
    separator = "," if re.search(r"\.csv(\.gz)?$", path.name.lower()) else "\t"
    with understood(path, "a text table"), text_of(path, "a line for each") as text:
        lines = [line.rstrip("\r\n") for line in lines_of(text, path) if line.strip()]
    return [[cell.strip().strip('"').strip() for cell in line.split(separator)] for line in lines]


def _counts(lines: list[list[str]]) -> bool:
    """Whether the first column only counts the lines, as R's row names do."""
    wide = [line for line in lines if len(line) > 1][-1:]
    return bool(wide) and len(wide[0]) > 1 and wide[0][0].isdigit() and int(wide[0][0]) in (len(lines), len(lines) - 1)


def _cell(line: list[str], column: int) -> str:
    return line[column] if column < len(line) else line[-1] if column <= 1 else ""
