"""A planted cohort that is small in every direction, and its run: half a minute from raw files to the page.

Its batch, age and sex are strong enough to be found all the same.
"""

from pathlib import Path

from mtlbio.cohort.simulate import simulate, write_simulation

OPTIONS = """
splits: {folds: 2}
training: {genes: 300, seeds: 1, epochs: 15, block: 1}
baselines: {arms: [ridge, covariates]}
evaluate: {bootstrap: 100}
probe: {permutations: 99, bootstrap: 100}
"""
# smaller still, for what only has to run; the page is made in seconds
SMALLEST = """
splits: {folds: 2}
training: {genes: 100, axes: 4, curves: 40, block: 2, seeds: 1, epochs: 10}
baselines: {arms: [ridge, covariates]}
evaluate: {bootstrap: 100}
probe: {permutations: 99, bootstrap: 100}
"""


def write_small_run(folder: Path, seed: int = 1, name: str = "small") -> Path:
    """Write the cohort and the YAML of its run into a folder; gives the YAML."""
    yaml = write_simulation(folder, simulate("clear", seed, donors=60, genes=300), name=name)
    yaml.write_text(yaml.read_text() + OPTIONS)
    return yaml
