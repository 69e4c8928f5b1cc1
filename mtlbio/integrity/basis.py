"""What a step is made from besides other steps' files: options, modules, and the files that the YAML names."""

from dataclasses import dataclass
from pathlib import Path

from mtlbio.integrity.record import Content, Record, as_json, digest_of
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas.run import Run
from mtlbio.kinds.sources import modules_of_run


@dataclass(frozen=True)
class Basis:
    """As the fields of the same names in :class:`mtlbio.integrity.record.Record`."""

    options: str
    modules: str
    data: tuple[Content, ...]

    def made(self, record: Record) -> bool:
        """Whether a record is of files that were made from this: made again they would be the same."""
        return (record.options, record.modules, record.data) == (self.options, self.modules, self.data)

    def may_have_made(self, record: Record) -> bool:
        """The same as far as the record says of what its files were made."""
        said = ((record.options, self.options), (record.modules, self.modules), (record.data, self.data))
        return all(not theirs or theirs == own for theirs, own in said)


def basis_of(run: Run, step: str, files: bool = True) -> Basis:
    """What a step of a run is made from now; ``files``: those of its data too."""
    data = tuple(map(Content.of, files_of_data(run, step))) if files else ()
    return Basis(options_of(run, step), _modules(run, step), data)


def options_of(run: Run, step: str) -> str:
    """Digest of the keys that a step depends on; a path counts by its key alone, for a folder may move."""
    kind = kind_of(run)
    return digest_of(kind.step_options(kind.with_paths(run, lambda key, path: key), step))


def _modules(run: Run, step: str) -> str:
    files = map(Path, modules_of_run(run, step))
    return digest_of(as_json(sorted((file.name, Content.of(file).sha256) for file in files)))


def files_of_data(run: Run, step: str) -> list[Path]:
    """Files that the YAML names and a step reads."""
    files = {"prepare": kind_of(run).data_files, "probe": kind_of(run).files_of_trial}.get(step)
    return [Path(path) for path in files(run)] if files else []
