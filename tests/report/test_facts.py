from mtlbio.kinds.schemas.cohort import CohortRun
from mtlbio.report.facts import chosen_options

RUN = {
    "run": "blood",
    "kind": "cohort",
    "expression": {"path": "counts.h5ad", "scale": "log2"},
    "metadata": {"path": "people.csv"},
    "tasks": {"disease": {"kind": "binary", "column": "disease", "positive": "case"}},
}


def test_only_what_differs_from_the_defaults_is_named():
    assert chosen_options(CohortRun.model_validate(RUN)) == []
    run = CohortRun.model_validate({**RUN, "training": {"balancing": "pcgrad", "seeds": 5}, "probe": {"margin": 0.05}})
    assert chosen_options(run) == ["training.balancing: pcgrad (equal)", "probe.margin: 0.05 (0.02)"]


def test_the_page_lists_them(page):
    assert "Options that differ from the defaults" in page
