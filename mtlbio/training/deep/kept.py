"""Networks of a deep trunk that are done, kept on disk until their fold is."""

import shutil
from dataclasses import dataclass

from mtlbio.parts import Parts
from mtlbio.training.deep.group import Group
from mtlbio.training.deep.network import Trained
from mtlbio.training.stored import put_together, taken_apart


@dataclass(frozen=True)
class KeptNetworks:
    """The networks of one fold, in ``parts.folder/place/<name>``."""

    parts: Parts
    place: str

    def read(self, name: str, group: Group) -> Trained | None:
        """A network; None where the first process of the group has none of these data, options and modules."""
        part = self.parts.read(f"{self.place}/{name}") if group.rank == 0 else None
        if not group.says(part is not None):
            return None
        # the others know by now that it is whole
        part = part or self.parts.read(f"{self.place}/{name}")
        if part is None:
            raise RuntimeError(f"{self.parts.folder / self.place / name}: not seen by process {group.rank + 1}")
        return put_together(Trained, part.arrays)

    def write(self, name: str, found: Trained, group: Group) -> None:
        """Keep a network, once for the group."""
        if group.rank == 0:
            self.parts.write(f"{self.place}/{name}", taken_apart(found), {})

    def clear(self) -> None:
        """Remove them: the fold is done."""
        shutil.rmtree(self.parts.folder / self.place, ignore_errors=True)
