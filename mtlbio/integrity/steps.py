"""What each step of the workflow writes below ``results/<run>/``, and whose files it reads.

The rules of the workflow declare the same files (``tests/workflow/test_rules.py`` holds both together); what a kind of
run writes besides is recorded when it is written.
"""

# step -> files that it writes, always
WRITES = {
    "prepare": ("cohort.h5ad", "qc.tsv", "splits.tsv"),
    "train": ("history.tsv", "conflict.tsv", "latents.h5ad", "predictions.tsv"),
    "baselines": ("baselines/predictions.tsv",),
    "evaluate": ("metrics.tsv", "comparisons.tsv", "transfer.tsv", "label_noise.tsv", "reprobe.tsv"),
    "probe": (
        "probing/audit.tsv", "probing/association.tsv", "probing/ablation.tsv", "probing/enrichment.tsv",
        "probing/stability.tsv", "probing/subspaces.tsv", "probing/odds.tsv", "probing/replicas.tsv",
        "probing/null.tsv", "probing/null_runs.tsv", "verdicts.tsv",
    ),
    "report": ("report.html",),
}  # fmt: skip

# step -> folders that it makes anew as a whole, whatever is in them
REPLACES = {"train": ("model",), "report": ("figures",)}

# step -> steps whose files it reads
READS = {
    "prepare": (),
    "train": ("prepare",),
    "baselines": ("prepare",),
    "evaluate": ("prepare", "train", "baselines"),
    "probe": ("prepare", "train"),
    "report": ("prepare", "train", "baselines", "evaluate", "probe"),
}
