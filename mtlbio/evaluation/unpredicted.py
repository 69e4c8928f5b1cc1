"""Which tasks nobody predicts from latents that another model made."""

from mtlbio.kinds.schemas import LatentsRun


def unpredicted(run: LatentsRun) -> tuple[str, ...]:
    """Tasks whose labels the model saw, or may have seen: any head would find them in the latents."""
    if run.latents.saw is None and run.latents.encode is None:
        return tuple(run.tasks)
    return tuple(run.latents.saw) if isinstance(run.latents.saw, list) else ()
