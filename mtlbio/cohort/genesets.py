"""Gene sets: GMT files, and the small marker sets that ship with mtlbio."""

from importlib import resources
from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.reading import opened, understood


def read_gmt(path: str | Path) -> dict[str, list[str]]:
    """Genes of every set of a GMT file (text or gzipped) by name, in file order, each gene once.

    A set is a line ``name<TAB>description<TAB>gene<TAB>gene ...``.

    Raises
    ------
    InputError
        No such file, not text, no sets, a line of fewer than three columns, or a name that stands twice.

    Examples
    --------
    >>> len(builtin_sets()["INTERFERON_RESPONSE"]) > 40
    True
    """
    path = Path(path)
    with understood(path, "a text GMT file"), opened(path, "gene sets in a GMT file, one per line") as file:
        text = file.read().decode("utf-8-sig")
    return _parse(text, str(path))


def builtin_sets() -> dict[str, list[str]]:
    """The marker sets that ship with mtlbio (``gene_sets: builtin``): cell types and common programmes of blood."""
    return _shipped("programmes.gmt")


def builtin_cells() -> dict[str, list[str]]:
    """The marker genes of blood cells that ship with mtlbio: what composition is estimated from."""
    return _shipped("blood_cells.gmt")


def load_sets(gene_sets: str | None) -> dict[str, list[str]]:
    """Gene sets as the run's ``gene_sets`` names them: ``None`` (none), ``builtin`` or the path of a GMT file."""
    if gene_sets is None:
        return {}
    return builtin_sets() if gene_sets == "builtin" else read_gmt(gene_sets)


def _shipped(name: str) -> dict[str, list[str]]:
    source = resources.files("mtlbio.cohort") / "data" / name
    return _parse(source.read_text(encoding="utf-8"), name)


def _parse(text: str, source: str) -> dict[str, list[str]]:
    sets: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, *rest = (part.strip() for part in line.split("\t"))
        if len(rest) < 2:
            raise InputError(
                f"{source}: line {number}: expected name, description and genes separated by tabs; "
                f"found {len(rest) + 1} column(s)"
            )
        if not name or name in sets:
            raise InputError(f"{source}: line {number}: set name {name!r} is {'taken twice' if name else 'empty'}")
        sets[name] = list(dict.fromkeys(gene for gene in rest[1:] if gene))
    if not sets:
        raise InputError(f"{source}: empty; expected one gene set per line (name, description, genes)")
    return sets
