"""What is put on trial is an examinee by declaration; any other model can be one, with heads or without."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.given_axes import GivenAxes
from benchmarks.calibration.planted import plant
from benchmarks.calibration.turning import TurningAxes
from mtlbio.config import Probe
from mtlbio.errors import InputError
from mtlbio.model.ensemble import FINAL
from mtlbio.model.matching import match_axes
from mtlbio.probing import ablation, association, audit, stability
from mtlbio.probing.cohorts import OfEnsemble
from mtlbio.probing.columns import COLUMNS
from mtlbio.probing.enrichment import COLUMNS as ENRICHMENT
from mtlbio.probing.enrichment import enrichment
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence
from mtlbio.probing.examine import TABLES, Procedure, examine, write_tables
from mtlbio.probing.examinee import DONORS, NOTHING, Examinee, WithHeads, checked
from mtlbio.probing.planes import columns as subspace_columns
from mtlbio.probing.residues.held_out import HeldOutResidues
from mtlbio.probing.sample_size import donors_for_a_verdict
from mtlbio.probing.subspaces import Genes
from mtlbio.probing.trial import Trial
from mtlbio.probing.verdict import VERDICTS, judge
from mtlbio.tables import read_table

FAST = Probe(permutations=199, bootstrap=200)
COMPONENTS = 10


class PrincipalComponents:
    """Ten principal components of the expression, one fit per fold, in the order and sign of the final one's.

    It knows nothing of mtlbio, and it has no heads."""

    saw = NOTHING

    def __init__(self, expression, donors, folds=5):
        self.dims = tuple(f"pc{k}" for k in range(COMPONENTS))
        self.fold = np.unique(donors, return_inverse=True)[1] % folds
        self.expression = expression.astype(float)
        self.loadings = self._components(FINAL)

    def _components(self, fold):
        train = self.expression[self.fold != fold]
        return np.linalg.svd(train - train.mean(axis=0), full_matrices=False)[2][:COMPONENTS]

    def latents(self, fold):
        centre = self.expression[self.fold != fold].mean(axis=0)
        reference, own = ((self.expression - centre) @ c.T for c in (self.loadings, self._components(fold)))
        return (own @ match_axes(reference, own).transfer)[None]


@pytest.fixture(scope="module")
def planted():
    """Programmes of unlike size, so that each is a component of its own."""
    made = plant(200, 2, noise_dims=6)
    size = np.repeat(1.2 ** -np.arange(len(made.roles)), 20)
    return replace(made, cohort=replace(made.cohort, expression=made.cohort.expression * size))


@pytest.fixture(scope="module")
def components(planted):
    return PrincipalComponents(planted.cohort.expression, planted.cohort.donors)


def trial_of(planted, examinee):
    z = np.empty((len(examinee.fold), COMPONENTS))
    for f in np.unique(examinee.fold):
        z[examinee.fold == f] = examinee.latents(f)[0, examinee.fold == f]
    block, cohort = np.array(["axis"] * COMPONENTS), planted.cohort
    return Trial(z / z.std(axis=0), examinee.dims, block, cohort.obs, cohort.tasks, cohort.covariates, FAST)


def put_on_trial(planted, examinee, steady):
    """By the public function alone."""
    genes = Genes(planted.cohort, examinee.loadings, np.array(planted.cohort.genes), planted.sets)

    def names(trial):
        return enrichment(trial, genes.cohort, genes.loadings, genes.names, genes.sets)

    procedure = Procedure(names, blocks=True, genes=genes)
    return examine(trial_of(planted, examinee), examinee, steady, procedure)


@pytest.fixture(scope="module")
def tables(planted, components):
    final = components.latents(FINAL)[0]
    same = [match_axes(final, components.latents(f)[0]).correlation for f in range(5)]
    return put_on_trial(planted, components, np.median(same, axis=0))


def test_examinees_are_declared(components):
    for known in (OfEnsemble, HeldOutResidues, GivenAxes, TurningAxes):
        assert WithHeads in known.__mro__ and known.saw == NOTHING
    planted = plant(40, 0, noise_dims=1)
    assert isinstance(GivenAxes(planted, np.arange(40) % 2), WithHeads)
    assert isinstance(components, Examinee) and not isinstance(components, WithHeads)


def test_a_stranger_without_heads_gets_verdicts(planted, components, tables):
    roles = {}
    for d, weights in enumerate(np.square(components.loadings).reshape(COMPONENTS, -1, 20).sum(axis=2)):
        roles.setdefault(planted.roles[int(weights.argmax())], components.dims[d])
    found = tables["verdicts"].set_index("dim")
    assert tuple(found.loc[roles["age"], ["verdict", "driver"]]) == ("confounder", "age")
    assert tuple(found.loc[roles["interferon"], ["verdict", "driver"]]) == ("biology", "INTERFERON_SET")
    assert tuple(found.loc[roles["batch"], ["verdict", "driver"]]) == ("technical", "batch")
    assert set(found["verdict"]) <= set(VERDICTS) and found["why"].notna().all()
    assert not found["why"].str.contains("the model|the heads").any()


def test_every_table_of_a_stranger_is_well_formed(planted, components, tables, tmp_path):
    assert tuple(tables) == (*TABLES, "verdicts")
    write_tables(tables, tmp_path)
    read = {name: read_table(tmp_path / "probing" / f"{name}.tsv") for name in TABLES}
    verdicts = read_table(tmp_path / "verdicts.tsv")
    expected = {"audit": audit.COLUMNS, "ablation": ablation.COLUMNS, "enrichment": ENRICHMENT}
    expected |= {"stability": stability.COLUMNS, "subspaces": subspace_columns(trial_of(planted, components))}
    for name, columns in expected.items():
        assert list(read[name].columns) == list(columns), name
    assert list(read["association"].columns)[: len(association.COLUMNS)] == association.COLUMNS
    for name in ("association", "ablation", "enrichment", "stability"):
        assert set(components.dims) <= set(read[name]["dim"]), name
    assert verdicts["dim"].tolist() == list(components.dims)
    assert [c for c in verdicts if c in {n for column in COLUMNS for n in column.names.split()}] == [
        *("dim", "verdict", "driver", "stability", "about", "n_effective", "vif", "donors_needed", "needed_for"),
        *("subspace", "why", "error_rate", "error_rate_low", "error_rate_high", "error_rate_from"),
    ]
    # nobody has counted how often verdicts on principal components are wrong
    assert verdicts["error_rate"].isna().all() and verdicts["error_rate_from"].isna().all()


def test_without_heads_removal_follows_from_refitted_ones(tables):
    removed = tables["ablation"]
    assert (removed["way"] == "refit").all() and (removed["call"] == removed["removal"]).all()
    assert len(removed) == 3 * removed["dim"].nunique()
    verdicts = tables["verdicts"].set_index("dim")
    rows = removed.set_index(["dim", "task"])
    for dim in verdicts.index:
        assert verdicts.loc[dim, "removal_disease"] == rows.loc[(dim, "disease"), "call"]
        assert verdicts.loc[dim, "delta_age"] == rows.loc[(dim, "age"), "loss"]


def test_bounds_of_harm_are_shared_out_over_the_ways_that_were_taken():
    planted = plant(80, 1, noise_dims=1)
    both = GivenAxes(planted, np.arange(80) % 5)

    class Mute(Examinee):
        """The same axes; their heads are not shown."""

        dims, fold, saw = both.dims, both.fold, NOTHING

        def latents(self, fold):
            return both.latents(fold)

    trial = Trial(planted.z, both.dims, np.array(["axis"] * 6), planted.obs, planted.cohort.tasks, {}, FAST)
    first, second = (ablation.ablation(trial, examinee) for examinee in (both, Mute()))
    assert set(first["way"]) == {"conditional", "refit"}
    first = first[first["way"] == "refit"].reset_index(drop=True)
    same = ["dim", "task", "metric", "way", "score", "loss", "ci_low", "ci_high", "upper", "donors_needed"]
    pd.testing.assert_frame_equal(first[same], second[same])
    # one question of three in the place of one of six: the bound for harm comes nearer
    assert (second["lower"] >= first["lower"]).all() and (second["lower"] > first["lower"]).any()


def test_sentences_do_not_speak_of_a_model_that_has_no_heads():
    batch = CovariateEvidence("batch", "technical", 0.8, 1e-6, True)
    task = TaskEvidence("disease", effect=0.1, ci_low=-0.1, ci_high=0.3, q=0.5, loss=0.031, metric="auroc", donors=90)
    said = {}
    for heads in (True, False):
        for removal in ("harmful", "inconclusive"):
            item = Evidence("z03", (replace(task, removal=removal),), (batch,), 0.8, donors=90, heads=heads)
            said[heads, removal] = judge(item, FAST).why
    start = "z03 follows batch: 80 % of its variance"
    assert said[True, "harmful"] == (
        f"SHORTCUT: {start}, and the model leans on it: taking it out costs disease (auroc -0.031)."
    )
    assert said[False, "harmful"] == (
        f"SHORTCUT: {start}, and predictions from these latents lean on it: taking it out costs disease (auroc -0.031)."
    )
    assert said[True, "inconclusive"] == f"{start}; whether the heads need it is open for disease."
    assert said[False, "inconclusive"] == f"{start}; whether predictions need it is open for disease."


def test_without_heads_fewer_questions_share_the_error_of_harm():
    tested = {"p": 0.5, "q": 0.5, "effect": 0.1, "ci_low": -0.2, "ci_high": 0.4}
    harm = {"loss": 0.1, "loss_low": -0.0176, "loss_high": 0.2176}
    lost = TaskEvidence("disease", donors=90, donors_needed=40, **harm, **tested)
    needed = [
        donors_for_a_verdict(Evidence("z01", (lost,), (), donors=90, heads=heads), FAST)[0] for heads in (True, False)
    ]
    # (z(.025 / 2) + z(.2 power)) and (z(.025) + z(.2 power)), in units of loss / se
    assert needed == [np.ceil(90 * ((z + 0.8416212) * 0.6) ** 2) for z in (2.2414027, 1.9599640)]


def test_latents_that_saw_labels_prove_nothing(planted, components):
    class Supervised(PrincipalComponents):
        saw = ("disease", "response")

    told = Supervised(planted.cohort.expression, planted.cohort.donors)
    with pytest.raises(
        InputError, match="^latents: the models saw disease, response of the samples that they hold out"
    ):
        put_on_trial(planted, told, np.ones(COMPONENTS))


@pytest.mark.parametrize("saw", [NOTHING, DONORS, ()])
def test_latents_that_saw_no_label_can_be_tested(saw):
    asked = SimpleNamespace(saw=saw, fold=np.zeros(3), dims=("a", "b"))
    assert checked(asked, 3, ["a", "b"]) is asked


@pytest.mark.parametrize("samples, dims", [(4, ("a", "b")), (3, ("b", "a"))])
def test_an_examinee_of_other_samples_or_dimensions_is_one_clear_line(samples, dims):
    asked = SimpleNamespace(saw=NOTHING, fold=np.zeros(3), dims=("a", "b"))
    with pytest.raises(InputError, match=f"^latents: 3 samples in a, b; on trial are {samples} in {', '.join(dims)}$"):
        checked(asked, samples, dims)
