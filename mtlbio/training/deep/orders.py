"""What a group of processes is given to do, as files in one folder: numbers as arrays, the rest as JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mtlbio.parts import Parts
from mtlbio.training.deep.kept import KeptNetworks

_ORDERS, _FAILED = "orders.json", "failed-{}.json"


@dataclass(frozen=True)
class Orders:
    """``tasks`` as their kinds save them, of which the first ``main`` are the run's; ``options`` of the training in
    JSON; ``folds`` by number, in the order in which they are trained on ``device`` ("cpu" or "cuda"). ``kept`` says
    where networks that are done are kept, by fold: folder, key and place."""

    tasks: list[dict]
    main: int
    seeds: list[int]
    options: str
    device: str
    folds: list[int]
    kept: dict[str, tuple[str, str, str]]

    def kept_networks(self, fold: int) -> KeptNetworks | None:
        """Where the networks of a fold are kept; None where they are not."""
        if str(fold) not in self.kept:
            return None
        folder, key, place = self.kept[str(fold)]
        return KeptNetworks(Parts(Path(folder), key), place)

    def write(self, folder: Path) -> None:
        """Into the folder, from where all processes :meth:`read` it."""
        (folder / _ORDERS).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Orders":
        """What was written."""
        return cls(**json.loads((folder / _ORDERS).read_text(encoding="utf-8")))


def array_files(folder: Path, fold: int) -> tuple[Path, Path]:
    """Where the arrays of a fold lie, and where what is found of it will lie."""
    return folder / f"fold{fold}.safetensors", folder / f"found{fold}.safetensors"


@dataclass(frozen=True)
class Failure:
    """How a process ended: by the name of a ``signal``, or with the ``message`` of an error; ``at`` in seconds."""

    process: int
    signal: str
    message: str
    at: int

    def write(self, folder: Path) -> None:
        """Beside those of other processes."""
        place = folder / _FAILED.format(self.process)
        place.write_text(json.dumps(asdict(self)), encoding="utf-8")


def first_failure(folder: Path) -> Failure | None:
    """What ended all processes, from what was noticed of each: a signal ends one, and errors the others then."""
    found = [Failure(**json.loads(file.read_text(encoding="utf-8"))) for file in folder.glob(_FAILED.format("*"))]
    return min(found, key=lambda failure: (not failure.signal, failure.at), default=None)
