"""What a run's YAML says that is valid, but hardly meant."""

from mtlbio.kinds.schemas.run import Run

_MANY = 2000  # networks


def doubts(run: Run) -> list[str]:
    """A line for every option that cannot do what it is there for beside the others, with the keys that say so."""
    found, training, probe = list[str](), getattr(run, "training", None), getattr(run, "probe", None)
    epochs, patience = getattr(training, "epochs", None), getattr(training, "patience", None)
    if epochs is not None and patience is not None and patience >= epochs:
        found.append(
            f"training.patience: {patience} epochs without improvement cannot pass within training.epochs ({epochs}): "
            f"nothing stops early"
        )
    adversary = getattr(training, "adversary", None)
    if adversary is not None and epochs is not None and adversary.ramp > epochs:
        found.append(
            f"training.adversary.ramp: {adversary.ramp} epochs are more than training.epochs ({epochs}): the adversary "
            f"never reaches its strength"
        )
    folds = getattr(getattr(run, "splits", None), "folds", None) or 1
    networks = folds * getattr(training, "seeds", 1)
    if networks > _MANY:
        found.append(f"training.seeds and splits.folds: {networks:,} networks for every arm; five of each are usual")
    refits = getattr(probe, "null_refits", 0)
    if refits and probe is not None and probe.alpha * (refits + 1) < 1:
        found.append(
            f"probe.null_refits: of {refits} refits no p is below {1 / (refits + 1):.2g}, above probe.alpha "
            f"({probe.alpha:g})"
        )
    return found
