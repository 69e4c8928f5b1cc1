"""Steps that write small texts made of what they read: the whole chain in milliseconds."""

from pathlib import Path

from mtlbio.files import replacing
from mtlbio.integrity.steps import READS, REPLACES, WRITES

RUN = """\
run: tiny
expression: {path: e.csv, scale: log}
metadata: {path: m.csv}
tasks: {age: {kind: regression}}
"""


def write_run(folder: Path, name: str = "tiny", more: str = "") -> Path:
    """A run and its data; gives the YAML."""
    folder.mkdir(exist_ok=True)
    (folder / "e.csv").write_text("sample_id,g\na,1\n")
    (folder / "m.csv").write_text("sample_id,donor_id,age\na,a,1\n")
    (folder / "run.yaml").write_text(RUN.replace("tiny", name) + more)
    return folder / "run.yaml"


def files_of(step: str) -> list[str]:
    """What a toy step writes."""
    return [*WRITES[step], *(f"{place}/{name}" for place in REPLACES.get(step, ()) for name in ("a.txt", "b.txt"))]


def toy(step: str):
    """The function of a step."""

    def function(run, results: Path) -> None:
        read = "".join((results / name).read_text() for other in READS[step] for name in files_of(other))
        read += (Path(run.measured.path).read_text() if step == "prepare" else "") + run.run
        places = [*WRITES[step], *REPLACES.get(step, ())]
        for place in places:
            with replacing(results / place) as temporary:
                if place in WRITES[step]:
                    temporary.write_text(f"{step} {place} {len(read)} {read[:50]}")
                else:
                    temporary.mkdir()
                    for name in ("a.txt", "b.txt"):
                        (temporary / name).write_text(f"{place} {name} {len(read)}")

    return function
