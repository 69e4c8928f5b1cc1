"""Heads that were added to a trained model: a label, and weights on the dimensions, one file pair per task."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

from mtlbio.errors import InputError, listing
from mtlbio.integrity.added import added_tasks, arrays_of, check_as_written, description_of, is_there
from mtlbio.labels import Label, read_label
from mtlbio.model.ensemble import Ensemble
from mtlbio.model.outputs import Outputs

# latents (seeds, n, dims) and places of sites (n,), where heads know any -> predictions of every replica
Predictor = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


@dataclass(frozen=True)
class AddedHead:
    """A linear head on the dimensions of a frozen trunk, as those of the run's own tasks.

    Attributes
    ----------
    task : the label
    weights : (dims, columns)
    bias : (outputs,)
    mean, scale : of :meth:`mtlbio.labels.Label.standard`
    """

    task: Label
    weights: np.ndarray
    bias: np.ndarray
    mean: float = 0.0
    scale: float = 1.0

    def outputs(self, latents: np.ndarray) -> np.ndarray:
        """(..., n, outputs) from latents (..., n, dims)."""
        return latents @ self.weights @ Outputs.of({self.task.name: self.task}).expand.astype(float) + self.bias

    def predict(self, latents: np.ndarray) -> np.ndarray:
        """(..., n) probability or value, or (..., n, K), as the label has it, from latents (..., n, dims)."""
        return self.task.to_prediction(self.outputs(latents), self.mean, self.scale)


def write_head(head: AddedHead, arrays: Path, description: Path, more: dict) -> None:
    """Write both files of a head; ``more`` is what else its description says."""
    target = np.array([head.mean, head.scale])
    arrays.write_bytes(save({"weights": np.ascontiguousarray(head.weights), "bias": head.bias, "target": target}))
    content = {"task": head.task.saved(), **more}
    description.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_head(results: Path, name: str) -> AddedHead:
    """An added head of a run; an InputError where a file of it is not as it was written."""
    check_as_written(results, name)
    arrays, task = load_file(arrays_of(results, name)), read_label(describe_head(results, name)["task"])
    mean, scale = arrays["target"].tolist()
    return AddedHead(task, arrays["weights"], arrays["bias"], mean, scale)


def describe_head(results: Path, name: str) -> dict:
    """What the description of an added head says."""
    return json.loads(description_of(results, name).read_text(encoding="utf-8"))


def predictors(ensemble: Ensemble, results: Path, tasks: str | None) -> list[tuple[Label, Predictor]]:
    """What predicts each of the named tasks (``a,b``), the model's own or added; the model's own where None.

    Of added heads only the named ones are read. InputError as of :func:`named_tasks`.
    """

    def own(name: str) -> tuple[Label, Predictor]:
        return ensemble.tasks[name], lambda latents, at: ensemble.predict_from_latents(name, latents, at=at)

    def added(name: str) -> tuple[Label, Predictor]:
        head = read_head(results, name)
        return head.task, lambda latents, at: head.predict(latents)  # an added head knows no site

    names = named_tasks(ensemble.tasks, results, tasks)
    return [own(name) if name in ensemble.tasks else added(name) for name in names]


def named_tasks(own: Collection[str], results: Path, tasks: str | None) -> list[str]:
    """Names out of ``a,b``, each once; the model's ``own`` tasks where None.

    Raises
    ------
    InputError
        No task, own or added, has such a name, or the head of one is not as it was written.
    """
    names = list(own) if tasks is None else list(dict.fromkeys(n.strip() for n in tasks.split(",")))
    for name in [name for name in names if name not in own]:
        there = added_tasks(results)
        if name not in there or not is_there(results, name):
            valid = listing([*own, *(n for n in there if n != name)])
            raise InputError(f"--tasks: {name!r} is no task of {results}, and none that was added; valid: {valid}")
    return names
