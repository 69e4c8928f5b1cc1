"""``mtlbio plan``: the design's answers before anything is trained."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import sparse

from benchmarks.calibration.designs import plant_design
from benchmarks.calibration.planted import plant
from mtlbio import cli
from mtlbio.cohort.family import FAMILY, ORDER
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.config import Probe
from mtlbio.door.base import folder_of
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import CohortRun
from mtlbio.probing.association import task_design
from mtlbio.probing.audit import audited
from mtlbio.probing.families import evidence_needed, firm_level
from mtlbio.probing.inference import Contrast, variance_inflation
from mtlbio.probing.plan import PLAN, plan, plan_table, read_design, task_plan
from mtlbio.probing.plan_design import Design
from mtlbio.probing.plan_order import order_warnings
from mtlbio.probing.plan_words import grave, task_lines, words
from mtlbio.probing.power import noncentrality_root
from mtlbio.probing.trial import Trial
from mtlbio.tables import read_table


def planted_run(tmp_path, design="clear", donors=80, **sizes):
    return read_run(write_simulation(tmp_path / design, simulate(design, 0, donors=donors, genes=300, **sizes)))


def design_of(planted, dims=20, **changes) -> Design:
    """The design of a planted cohort, without files."""
    cohort = planted.cohort
    tasks = {name: cohort.tasks[name] for name in changes.get("tasks", cohort.tasks)}
    covariates = {n: c for n, c in cohort.covariates.items() if n in changes.get("covariates", cohort.covariates)}
    return Design("planted", *audited(Trial.to_come(planted.obs, tasks, covariates, Probe())), dims, {})


def test_a_nested_batch_is_the_first_warning_and_the_table_holds_every_pair(tmp_path):
    run = planted_run(tmp_path, "nested")
    text = plan(run, tmp_path / "results")
    first = text.split("Warnings\n")[1].splitlines()[0]
    assert first.startswith("  ! batch is nested in disease") and "no verdict can separate them" in " ".join(
        text.split()
    )
    assert re.search(r"measure about \d+ more donors", " ".join(text.split()))
    assert "No dimension can become `biology` for it" in text
    table = read_table(tmp_path / "results/plan.tsv", PLAN)
    assert list(table.columns) == PLAN
    assert table["kind"].tolist() == ["task"] * 3 + ["pair"] * 8 + ["technical"] * 2
    pair = table[(table["task"] == "disease") & (table["covariate"] == "batch")].iloc[0]
    assert pair["call"] == "not_identifiable" and pd.isna(pair["vif"])
    disease = table.iloc[0]
    assert pd.isna(disease["smallest_effect"]) and pd.isna(disease["donors_for_1.2"]) and disease["n_effective"] == 0
    assert plan(run, tmp_path / "results") == text


def test_numbers_of_a_balanced_design():
    task = task_plan(design_of(plant(120, 0)), "disease")
    assert task.donors == sum(task.classes.values()) == 120 and 1 < task.vif < 1.3
    assert task.n_effective == pytest.approx(120 / task.vif)
    assert task.needed[0.3] > task.needed[0.5] > task.needed[0.8] > task.needed[1.2]
    # as many donors as are needed for the smallest effect are there
    assert (task.needed[0.8] <= 120) == (task.smallest <= 0.8)
    # two groups of 60, -log p of 9 among 20 dimensions less 1 of the other outcome: p of .00034, so about 4.4 * 2 /
    # sqrt(120) within groups, some more for the covariates
    assert 0.7 < task.smallest < 0.9
    assert task.harmless == pytest.approx(130 / (4 * task.balance * (1 - task.balance)), abs=1)


def test_more_dimensions_fewer_donors_and_confounding_cost_power():
    smallest = {
        name: task_plan(design, "disease").smallest
        for name, design in {
            "plain": design_of(plant(120, 0)),
            "dims": design_of(plant(120, 0), dims=100),
            "donors": design_of(plant(60, 0)),
            "batch": design_of(plant(120, 0, batch_disease=0.85)),
        }.items()
    }
    assert all(smallest[name] > smallest["plain"] for name in ("dims", "donors", "batch"))


def test_visits_add_no_donors():
    once, thrice = (task_plan(design_of(plant(60, 0, visits=v)), "disease") for v in (1, 3))
    assert (once.donors, once.needed) == (thrice.donors, thrice.needed)
    assert once.smallest == pytest.approx(thrice.smallest, rel=1e-9)


def test_words_of_what_is_missing():
    planted = plant(60, 1)
    design = design_of(planted, covariates=("age", "sex"))
    text = words(design, [task_plan(design, name) for name in design.trial.tasks], ["4 of 100 were wrong."])
    assert "No technical covariate" in text and "What can be called technical" not in text
    assert "A covariate too" in text.split("  age:")[1]
    assert "What such designs gave on planted cohorts\n  - 4 of 100 were wrong." in text
    gaps = planted.obs.assign(age=planted.obs["age"].where(np.arange(60) > 2))
    with_gaps = replace(design, trial=replace(design.trial, obs=gaps))
    assert "3 of 60 donors are in no test, for want of age." in words(with_gaps, [task_plan(with_gaps, "disease")], [])
    only_age = design_of(planted, tasks=("age",))
    assert "Every task is a covariate too" in " ".join(words(only_age, [task_plan(only_age, "age")], []).split())


def test_a_technical_covariate_that_follows_a_confounder_is_told():
    planted = plant(120, 0)
    old = planted.obs["age"] > planted.obs["age"].median()
    obs = planted.obs.assign(batch=np.where(old, "B1", "B0"))
    design = design_of(replace(planted, obs=obs))
    text = " ".join(words(design, [task_plan(design, "disease")], []).split())
    assert "batch (2 levels): can be told from sex, not from age" in text or "hardly from age" in text


def test_a_task_that_is_technical_is_told():
    planted = plant(60, 1)
    design = design_of(planted)
    role = replace(design.trial.covariates["age"], role="technical")
    covariates = design.trial.covariates | {"age": role}
    changed = replace(design, trial=replace(design.trial, covariates=covariates))
    text = " ".join(words(changed, [task_plan(changed, name) for name in ("disease", "age")], []).split())
    assert "age is a task and a technical covariate" in text


def test_what_planted_cohorts_of_such_a_design_gave_is_told(tmp_path):
    text = " ".join(plan(planted_run(tmp_path), tmp_path / "r", 35).split())
    assert "among 35 dimensions" in text
    title = "What such designs gave on planted cohorts - disease: on the planted cohorts nearest to yours"
    assert re.search(re.escape(title) + r" \(\d+ donors, batch independent of disease\)", text)
    assert "was called biology in" in text and "of the runs held any false biology" in text


def test_the_level_of_planted_cohorts_is_said_where_the_run_has_another(tmp_path):
    run = planted_run(tmp_path)
    usual = " ".join(plan(run, tmp_path / "r").split())
    tighter = run.model_copy(update={"probe": run.probe.model_copy(update={"alpha": 0.01})})
    text = " ".join(plan(tighter, tmp_path / "r").split())
    said = "Counted at probe.alpha 0.05; this run has 0.01."
    sentences = usual.count("on the planted cohorts nearest to yours") + usual.count("of planted cohorts (")
    assert said not in usual and text.count(said) == sentences == 4


def test_the_matrix_is_not_read(tmp_path, monkeypatch):
    run = planted_run(tmp_path)
    monkeypatch.setattr("mtlbio.cohort.read.read_expression", lambda *a, **k: pytest.fail("the matrix was read"))
    assert plan(run, tmp_path / "r").startswith("planted: 80 samples of 80 donors.")


def test_single_cells_become_samples_of_donors_and_pairs_are_compared_within_donors(tmp_path):
    rng, cells = np.random.default_rng(0), 16 * 20
    obs = pd.DataFrame({"donor_id": np.repeat([f"D{i}" for i in range(8)], 40), "sex": np.repeat(["f", "m"], 160)})
    obs["condition"] = np.tile(np.repeat(["ctrl", "stim"], 20), 8)
    obs.index = [f"c{i}" for i in range(cells)]
    obs.loc["c0":"c14", "condition"] = "stim"  # five cells are left of one sample
    counts = sparse.csr_matrix(rng.poisson(1.0, (cells, 6)).astype(np.float32))
    ad.AnnData(counts, obs, pd.DataFrame(index=[f"g{i}" for i in range(6)])).write_h5ad(tmp_path / "cells.h5ad")
    run = CohortRun.model_validate(
        {
            "run": "cells",
            "expression": {"path": str(tmp_path / "cells.h5ad"), "scale": "counts"},
            "pseudobulk": {"by": ["condition"]},
            "tasks": {"stimulated": {"kind": "binary", "column": "condition", "positive": "stim"}},
            "covariates": {"sex": {"role": "confounder"}},
        }
    )
    design = read_design(run, 20)
    assert len(design.trial.obs) == 15 and design.dropped == {"few cells": 1}
    task = task_plan(design, "stimulated")
    assert task.donors == 8 and task.units.within and task.units.kind == "donor x label"
    text = plan(run, tmp_path / "r")
    assert text.startswith("cells: 15 samples of 8 donors; left out: 1 (few cells).")
    assert "each compared with itself" in text and "only 7 donors with ctrl" in text


@pytest.fixture
def mtlbio(monkeypatch, capsys):
    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mtlbio", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return call


def test_the_command_prints_and_writes_and_leaves_a_folder_that_the_steps_accept(tmp_path, monkeypatch, mtlbio):
    monkeypatch.chdir(tmp_path)
    planted_run(tmp_path)
    status, out, _ = mtlbio("plan", "clear/run.yaml", "--dims", "12")
    assert status == 0 and out.endswith("results/planted/plan.tsv\n") and "among 12 dimensions" in out
    assert sorted(p.name for p in (tmp_path / "results/planted").iterdir()) == ["manifest", "plan.tsv"]
    assert folder_of(read_run("clear/run.yaml")) == Path("results/planted")


@pytest.mark.parametrize(
    "change, words",
    [
        (("positive: case", "positive: sick"), "tasks.disease.positive: 'sick' never occurs"),
        (("role: technical", "role: technical, column: plate"), "no column 'plate'"),
        (("metadata.csv", "other.csv"), "metadata.path: no such file"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, monkeypatch, mtlbio, change, words):
    monkeypatch.chdir(tmp_path)
    planted_run(tmp_path)
    yaml = tmp_path / "clear/run.yaml"
    assert change[0] in yaml.read_text()
    yaml.write_text(yaml.read_text().replace(*change))
    status, out, err = mtlbio("plan", "clear/run.yaml")
    assert status == 2 and out == "" and err.startswith("mtlbio: error: ") and err.count("\n") == 1 and words in err
    assert not (tmp_path / "results").exists()


def test_most_donors_without_a_covariate_are_said_first():
    """Every test is adjusted for every covariate, so a covariate that few have costs the donors that have it not."""
    planted = plant(60, 1)
    design = design_of(planted, covariates=("age", "sex"))
    gaps = planted.obs.assign(age=planted.obs["age"].where(np.arange(60) > 20))
    assert grave(replace(design, trial=replace(design.trial, obs=gaps)))[0] == (
        "21 of 60 donors are in no test, for want of age."
    )


def test_nobody_with_all_covariates_is_one_line(tmp_path):
    write_simulation(tmp_path, simulate("clear", 0, donors=40, genes=300))
    metadata = pd.read_csv(tmp_path / "metadata.csv")
    metadata["age"] = metadata["age"].where(np.arange(len(metadata)) % 2 == 0)
    metadata["bmi"] = np.where(np.arange(len(metadata)) % 2 == 1, 25.0 + np.arange(len(metadata)), np.nan)
    metadata.to_csv(tmp_path / "metadata.csv", index=False)
    text = yaml.safe_load((tmp_path / "run.yaml").read_text())
    text["tasks"].pop("age", None)
    text["covariates"]["bmi"] = {"role": "confounder", "kind": "continuous"}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(text))
    wrong = "covariates: 0 samples have all of .*age is unknown for 20.*bmi is unknown for 20"
    with pytest.raises(InputError, match=wrong):
        plan(read_run(tmp_path / "run.yaml"), tmp_path / "results")


def test_families_are_counted_and_what_they_cost_is_said(tmp_path):
    """How many, the largest, donors of whom none is recorded, what it costs a task, and where there are too few."""
    planted, _ = plant_design("families of four, recorded", 120, 0)
    design = design_of(planted)
    tasks = [task_plan(design, name) for name in design.trial.tasks]
    text = " ".join(words(design, tasks, []).split())
    assert "120 samples of 120 donors in 30 families (the largest of 4)." in text
    disease = next(task for task in tasks if task.name == "disease")
    assert f"say as much as {120 / disease.cost:.0f} unrelated ones." in text and disease.cost > 1.1
    np.testing.assert_allclose(disease.n_effective, 120 / disease.vif / disease.cost)
    table = plan_table(design, tasks, {task.name: "" for task in tasks})
    rows = table[table["kind"] == "family"].set_index("task")
    np.testing.assert_allclose(rows.loc["disease", "n_effective"], 120 / disease.cost)
    strangers = plant_design("families of four count as donors", 120, 0)[0]
    alone = task_plan(design_of(strangers), "disease")
    assert alone.cost == 1 and alone.smallest < disease.smallest and alone.needed[0.5] < disease.needed[0.5]
    assert not words(design_of(strangers), [alone], []).count("famil")


def test_too_few_families_are_a_warning():
    planted, _ = plant_design("families of four, recorded", 120, 0)
    family = planted.obs[FAMILY].where(np.arange(120) >= 12, "F0").where(np.arange(120) < 30, "F9")
    few = replace(planted, obs=planted.obs.assign(**{FAMILY: family}))
    design = design_of(few)
    text = " ".join(words(design, [task_plan(design, name) for name in design.trial.tasks], []).split())
    assert "! Only 7 families: every test counts families, and so few carry no firm claim." in text
    single = replace(planted, obs=planted.obs.assign(**{FAMILY: planted.obs["donor"]}))
    design = design_of(single)
    text = " ".join(words(design, [task_plan(design, "disease")], []).split())
    assert "Every donor is a family alone: metadata.family changes nothing." in text


def grouped(donors: int, families: int | None, **changes) -> Design:
    """A planted cohort of 80, or its first donors, in families of equal size."""
    planted = plant(donors, 1)
    if families is None:
        return design_of(planted, **changes)
    family = np.array([f"F{k:02d}" for k in np.arange(donors) * families // donors], dtype=object)
    return design_of(replace(planted, obs=planted.obs.assign(**{FAMILY: family})), **changes)


def test_an_order_that_cannot_be_asked_is_told():
    planted = plant(80, 1)
    cases = (planted.obs["disease"] == "case").to_numpy()
    asked = "whether it goes with the order of sampling was not asked"
    same = design_of(replace(planted, obs=planted.obs.assign(**{ORDER: 3.0})))
    assert order_warnings(same) == [
        f"{task}: {asked}: metadata.order is the same for all samples, or known for one only."
        for task in ("disease", "response")
    ]
    half = design_of(replace(planted, obs=planted.obs.assign(**{ORDER: np.where(cases, np.arange(80.0), np.nan)})))
    assert f"disease: {asked}: metadata.order is known for case only." in order_warnings(half)
    whole = design_of(replace(planted, obs=planted.obs.assign(**{ORDER: np.arange(80.0)})))
    assert order_warnings(whole) == order_warnings(design_of(planted)) == []
    assert f"! disease: {asked}" in words(same, [task_plan(same, "disease")], [])


def test_families_that_are_too_few_for_a_firm_link_are_told():
    """Six families have 32 distinct flips, so no effect of any size becomes biology."""
    six = task_plan(grouped(80, 6), "disease")
    why = "the signs of 6 families can be flipped in 32 ways, so no p is below 0.031, and it takes 0.025"
    assert np.isnan(six.smallest) and six.obstacle == why
    assert f"No dimension can become `biology` for it: {why}." in task_lines(grouped(80, 6), six)
    assert task_plan(grouped(80, 7), "disease").smallest > 0
    text = " ".join(words(grouped(80, 4), [task_plan(grouped(80, 4), "disease")], []).split())
    assert "! Only 4 families: below 5 nothing can be tested, and nothing will be `unused`." in text
    assert (
        "No dimension can become `biology` for it: of 4 families nothing can be tested, which takes 5 or more." in text
    )
    assert np.isnan(list(task_plan(grouped(80, 4), "disease").needed.values())).all()
    few = task_plan(grouped(6, None, covariates=()), "disease")
    assert few.obstacle == why.replace("families", "donors") and np.isnan(few.smallest)


def test_few_families_cost_the_freedom_of_a_test():
    """Ten families of eight and forty of two, in which relatives differ in disease: only the freedom differs."""
    few, many = (task_plan(grouped(80, count), "disease") for count in (10, 40))
    units, adjustment, columns = task_design(grouped(80, 10).trial, "disease")
    contrast = Contrast(columns, adjustment, units)
    assert contrast.df_error < 9
    level = firm_level(evidence_needed(20, 2, 0.05), 1.0, 2, 0.05)
    inflation = variance_inflation(columns, adjustment.basis) * few.cost
    spent = 80 - 1 - contrast.df_residual
    expected = noncentrality_root(level, 1, contrast.df_error) ** 2
    variance = few.label.test_variance(few.balance)
    expected = np.sqrt(expected / (variance * ((80 - spent + 1) / inflation + expected)))
    assert few.smallest == pytest.approx(expected, rel=1e-9) and few.smallest > 1.2 * many.smallest
    assert few.needed[0.8] > many.needed[0.8]


def test_a_run_with_families_is_planned_from_its_files(tmp_path):
    run = planted_run(tmp_path, "clear")
    folder = tmp_path / "clear"
    table = pd.read_csv(folder / "metadata.csv")
    table["litter"] = [None if i < 2 else f"L{i // 4}" for i in range(len(table))]
    table.to_csv(folder / "metadata.csv", index=False)
    text = (folder / "run.yaml").read_text().replace("donor: donor_id}", "donor: donor_id, family: litter}")
    (folder / "run.yaml").write_text(text)
    said = " ".join(plan(read_run(folder / "run.yaml"), tmp_path / "results").split())
    assert "Of 2 donors no family is recorded: each counts as a family of its own." in said
    assert "family" in set(read_table(tmp_path / "results/plan.tsv", PLAN)["kind"])
    assert run.metadata.family is None


def test_estimated_composition_is_set_against_the_outcomes(tmp_path):
    simulation = simulate("clear", 0, donors=60, genes=400)
    path = write_simulation(tmp_path / "estimated", simulation)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["covariates"]["composition"] = {"estimate": True}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    design = read_design(read_run(path), 20)
    names = [name for name, info in design.trial.covariates.items() if info.estimated]
    assert "composition_neutrophils" in names and len(names) <= 6
    # the planted programme raises neutrophils and lowers T cells
    planted = simulation.truth["composition"].to_numpy()
    assert np.corrcoef(planted, design.trial.obs["composition_neutrophils"])[0, 1] > 0.8
    text = " ".join(plan(read_run(path), tmp_path / "results").split())
    assert f"composition ({len(names)} estimated)" in text or len(names) == 1
    table = read_table(tmp_path / "results/plan.tsv", PLAN)
    pairs = table[(table["kind"] == "pair") & (table["task"] == "disease")]
    assert set(names) <= set(pairs["covariate"])
    rows = design.audit[(design.audit["task"] == "disease") & design.audit["covariate"].isin(names)]
    most = rows.loc[rows["value"].idxmax()]
    said = f"Of the estimated composition, {most['covariate']} goes with it most (eta2 {most['value']:.2f})."
    assert said in text


def test_a_cell_type_that_is_not_held_fixed_is_warned_of(tmp_path):
    simulation = simulate("clear", 0, donors=60, genes=400)
    path = write_simulation(tmp_path / "estimated", simulation)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))

    def planned(**asked):
        content["covariates"]["composition"] = {"estimate": True} | asked
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        design = read_design(read_run(path), 20)
        return design, " ".join(words(design, [task_plan(design, "disease")], []).split())

    design, _ = planned(cell_types=["T_cells"])
    assert "composition_T_cells" not in design.cells
    # the planted programme raises neutrophils and lowers T cells: of a cohort, its disease, too
    marked = design.cells.columns[0]
    cases = (design.trial.obs["disease"] == "case").to_numpy()
    design = replace(design, cells=design.cells.assign(**{marked: design.cells[marked] + 3.0 * cases}))
    text = " ".join(words(design, [task_plan(design, "disease")], []).split())
    cells = marked.removeprefix("composition_").replace("_", " ")
    assert f"disease goes with estimated {cells} (eta2 0." in text and "not held fixed; of those that are" in text
    assert planned(components=2)[0].cells.empty
