"""Chains as their files have them: a table, FASTA, or structures."""

from collections.abc import Iterator
from pathlib import Path

from mtlbio.cohort.metadata import VALID, duplicates, is_table, read_metadata
from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas.chains import ChainSource
from mtlbio.reading import lines_of, text_of, understood

FASTA = (".fasta", ".fa", ".faa", ".fas")
LONGEST_LINE = 10_000_000  # residues: no protein has a hundredth of that
STRUCTURES = (".cif", ".mmcif", ".pdb", ".ent")


Record = tuple[str, str, dict[str, str]]  # name, sequence, and the text of every other column


def records(source: ChainSource, key: str) -> Iterator[Record]:
    """Chains of the file or folder of the entry ``key``, in its order."""
    path = Path(source.path)
    if path.is_dir() or path.suffix.lower() in STRUCTURES:
        yield from _of_structures(path)
    elif path.name.lower().removesuffix(".gz").endswith(FASTA):
        yield from ((name, text, {}) for name, text in read_fasta(path))
    else:
        yield from _of_table(path, source, key)


def read_fasta(path: str | Path) -> list[tuple[str, str]]:
    """(name, sequence) of every entry; the name is the first word after ``>``.

    Raises
    ------
    InputError
        Text before the first ``>``, an entry without name or sequence, a name that occurs twice, no entry.
    """
    path = Path(path)
    entries: list[tuple[str, list[str]]] = []
    with (
        understood(path, "FASTA, text of sequences"),
        text_of(path, "sequences in FASTA format", newline=None) as lines,
    ):
        for number, line in enumerate(lines_of(lines, path, LONGEST_LINE), 1):
            text = line.strip()
            if text.startswith(">"):
                words = text[1:].split()
                if not words:
                    raise InputError(f"{path}: line {number}: an entry without a name")
                entries.append((words[0], []))
            elif text and not entries:
                raise InputError(f"{path}: line {number}: not FASTA; expected a line that starts with >")
            elif text:
                entries[-1][1].append(text.replace(" ", ""))
    if not entries:
        raise InputError(f"{path}: no sequence in it; expected FASTA")
    twice = duplicates([name for name, _ in entries])
    if twice:
        raise InputError(f"{path}: chain {twice[0]} occurs twice; give every entry its own name")
    empty = [name for name, sequence in entries if not sequence]
    if empty:
        raise InputError(f"{path}: chain {empty[0]} has no sequence")
    return [(name, "".join(sequence)) for name, sequence in entries]


def _of_table(path: Path, source: ChainSource, key: str) -> Iterator[Record]:
    if not is_table(path):
        raise InputError(
            f"{path}: unknown kind of file; valid: {VALID}, {listing(FASTA)}, a folder of structures "
            f"({listing(STRUCTURES)})"
        )
    table = read_metadata(path, f"chains.{key}.path").astype(object)
    table = table.where(table.notna(), "").astype(str)
    needed = (source.id, source.sequence, source.source, source.split, source.cluster, source.mask, *source.keep)
    missing = [c for c in needed if c and c not in table.columns]
    if missing:
        raise InputError(f"{path}: chains.{key}: no column {missing[0]!r}; found {listing(table.columns, 20)}")
    for column, values in source.keep.items():
        allowed = {str(v) for v in values}
        present = set(table[column])
        absent = sorted(allowed - present)
        if absent:
            raise InputError(
                f"{path}: chains.{key}.keep.{column}: {absent[0]!r} does not occur; found {listing(sorted(present))}"
            )
        table = table[table[column].isin(allowed)]
    for row in table.to_dict("records"):
        yield row[source.id].strip(), row[source.sequence], row


def _of_structures(path: Path) -> Iterator[Record]:
    from mtlbio.sequence.structures import read_structure

    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.suffix.lower() in STRUCTURES)
    if not files:
        raise InputError(f"{path}: no structure in it; expected files that end in {listing(STRUCTURES)}")
    for file in files:
        yield from read_structure(file)
