"""How good are protein runs on held-out chains, and what does accessibility gain from secondary structure?

    python benchmarks/proteins/scores.py DATA [joint profiles] [--chains N --epochs N --seeds N --threads N]

joint     single sequence: trained on the joint chains and on those with Q3 only, scored on the joint test chains; what
          accessibility gains from the latter against the network of accessibility alone
profiles  the same labels with profiles, on the chains of the joint set that have one

``--chains`` limits the chains with Q3 only, ``--epochs`` the training: small numbers show that everything runs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import yaml

from benchmarks.proteins.described import described, options, parsed
from mtlbio.evaluation.residues.baselines import baselines
from mtlbio.evaluation.residues.evaluate import evaluate
from mtlbio.kinds.read import read_run
from mtlbio.progress import show_progress
from mtlbio.sequence.prepare import prepare
from mtlbio.tables import read_table
from mtlbio.training.chains.train import train

PARTS = ("joint", "profiles")
TARGETS = {
    ("joint", "structure", "q3"): 0.72,
    ("joint", "structure", "q8"): 0.58,
    ("joint", "exposure", "pearson"): 0.60,
    ("profiles", "structure", "q3"): 0.80,
    ("profiles", "exposure", "pearson"): 0.70,
}


def scored(part: str, given: argparse.Namespace, folder: Path) -> None:
    """Train, score and print a part."""
    path = folder / f"{part}.yaml"
    path.write_text(yaml.safe_dump(described(part, given, folder, True if given.alone else ["exposure"])))
    run, results = read_run(path), (given.keep or folder) / part
    results.mkdir(parents=True, exist_ok=True)
    prepare(run, results)
    started = time.perf_counter()
    train(run, results)
    minutes = (time.perf_counter() - started) / 60
    for step in (baselines, evaluate):
        step(run, results)
    metrics = read_table(results / "metrics.tsv")
    print(f"\n{part}: {minutes:.1f} minutes for all networks of `mtlbio train`")
    print("| part | arm | label | metric | value | 95 % interval | target |\n|---|---|---|---|---|---|---|")
    for row in metrics.itertuples():
        target = TARGETS.get((part, row.task, row.metric)) if (row.arm, row.part) == ("multitask", "test") else None
        interval = f"{row.ci_low:.3f} to {row.ci_high:.3f}"
        said = "" if target is None else f"{target} {'met' if row.value >= target else 'MISSED'}"
        print(f"| {row.part} | {row.arm} | {row.task} | {row.metric} | {row.value:.3f} | {interval} | {said} |")
    for row in read_table(results / "transfer.tsv").itertuples():
        print(f"- {row.why}")


def main() -> None:
    """Print the table of every part."""
    parser = options(__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    parser.add_argument("--alone", action="store_true", help="train the network of secondary structure alone too")
    parser.add_argument("--keep", type=Path, help="folder that keeps the results")
    given = parsed(parser)
    if unknown := [part for part in given.parts if part not in PARTS]:
        parser.error(f"{unknown[0]}: no such part; valid: {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory() as folder:
        for part in given.parts:
            scored(part, given, Path(folder))


if __name__ == "__main__":
    show_progress()
    main()
