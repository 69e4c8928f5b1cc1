# make demo   a planted cohort, a real one and planted proteins, from raw files to a page each
# make test   the tests
# make docs   the documentation: build/site/index.html
.PHONY: setup demo test bench generated docs lint clean
BIN := .venv/bin
CORES ?= all
PLANTED := results/cohorts/planted/run.yaml
CHAINS := results/cohorts/planted_proteins/run.yaml

setup:
	@bash envs/setup.sh

$(PLANTED): | setup
	$(BIN)/mtlbio simulate $(@D)

$(CHAINS): | setup
	$(BIN)/mtlbio simulate $(@D) --kind protein

demo: $(PLANTED) $(CHAINS) | setup
	$(BIN)/snakemake --workflow-profile workflow/profiles/default \
		--config 'runs=["$(PLANTED)", "config/runs/leukaemia.yaml", "$(CHAINS)"]' --cores $(CORES)
	@echo "Open results/planted/report.html, results/leukaemia/report.html and results/planted_proteins/report.html" \
		"in a browser."

# in up to four processes; pytest -m slow, which kills things, is one
test: | setup
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup

# on planted cohorts: how good axes and predictions are, what stacking saves, how often verdicts are wrong
bench: | setup
	$(BIN)/python benchmarks/axes_and_predictions/axes.py
	$(BIN)/python benchmarks/speed/replicas.py
	$(BIN)/python benchmarks/axes_and_predictions/planted.py
	$(BIN)/python benchmarks/axes_and_predictions/subspaces.py
	$(BIN)/python benchmarks/calibration/grid.py axes
	$(BIN)/python benchmarks/calibration/grid.py pipeline

# config/README.md and the schemas are written from the models in mtlbio/config/ and mtlbio/kinds/schemas/, the columns
# of verdicts.tsv in docs/tables.md from mtlbio/probing/columns.py, docs/commands.md from the command line
generated: | setup
	$(BIN)/python -m mtlbio.kinds
	$(BIN)/python -m mtlbio.probing.columns
	$(BIN)/python docs/_ext/commands.py

# what the site needs beyond a run; only the first call of `make docs` looks for a network
.venv/stamp-docs: pyproject.toml envs/constraints.txt | setup
	$(BIN)/python -m pip --disable-pip-version-check -qq install -c .venv/constraints.txt -e '.[docs]'
	@touch $@

# warnings and dead links are errors; notebooks are executed where they or the package have changed
docs: generated .venv/stamp-docs
	@rm -rf build/site
	$(BIN)/python -m sphinx -q -W -n --keep-going -c docs -d build/doctrees . build/site
	$(BIN)/python docs/_ext/dead_links.py build/site
	@echo "Open build/site/index.html in a browser."

lint: | setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy mtlbio
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/snakemake --lint --snakefile workflow/Snakefile

clean:
	rm -rf results .snakemake build dist .pytest_cache .ruff_cache
