# make demo   a planted cohort and a real one, from raw files to a page each
# make test   the tests
.PHONY: setup demo test bench docs lint clean
BIN := .venv/bin
CORES ?= all
PLANTED := results/cohorts/planted/run.yaml

setup:
	@bash envs/setup.sh

$(PLANTED): | setup
	$(BIN)/mtlbio simulate $(@D)

demo: $(PLANTED) | setup
	$(BIN)/snakemake --workflow-profile workflow/profiles/default \
		--config 'runs=["$(PLANTED)", "config/runs/leukaemia.yaml"]' --cores $(CORES)
	@echo "Open results/planted/report.html and results/leukaemia/report.html in a browser."

test: | setup
	$(BIN)/python -m pytest

# on planted cohorts: how good axes and predictions are, what stacking saves, how often verdicts are wrong
bench: | setup
	$(BIN)/python benchmarks/axes.py
	$(BIN)/python benchmarks/replicas.py
	$(BIN)/python benchmarks/planted.py
	$(BIN)/python benchmarks/subspaces.py
	$(BIN)/python benchmarks/calibration.py axes
	$(BIN)/python benchmarks/calibration.py pipeline

# config/README.md and the schema are written from the model in mtlbio/config.py
docs: | setup
	$(BIN)/python -m mtlbio.config

lint: | setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/snakemake --lint --snakefile workflow/Snakefile

clean:
	rm -rf results .snakemake build dist .pytest_cache .ruff_cache
