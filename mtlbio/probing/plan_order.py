"""What ``mtlbio plan`` says where the order of sampling is recorded, but cannot be set against an outcome."""

import numpy as np

from mtlbio.cohort.family import ORDER
from mtlbio.probing.plan_design import Design
from mtlbio.probing.uneven import TIME


def order_warnings(design: Design) -> list[str]:
    """Outcomes that were not asked whether they go with ``metadata.order``, and why; empty without that key."""
    trial = design.trial
    if ORDER not in trial.obs:
        return []
    unasked = "whether it goes with the order of sampling was not asked"
    rows = design.audit[(design.audit["kind"] == "recruitment") & (design.audit["covariate"] == TIME)]
    out = []
    for task in [name for name in trial.outcomes if name not in set(rows["task"])]:
        labels = trial.labels(task)
        known = trial.obs[ORDER].notna().to_numpy() & ~np.isnan(labels)
        codes = trial.tasks[task].codes(labels[known])
        if trial.obs[ORDER][known].nunique() < 2:
            why = "metadata.order is the same for all samples, or known for one only"
        elif codes is not None and len(np.unique(codes)) == 1:
            why = f"metadata.order is known for {trial.tasks[task].classes[codes[0]]} only"
        else:
            why = f"too few {trial.words.units}, or families of them, have both"
        out.append(f"{task}: {unasked}: {why}.")
    return out
