"""A user's command makes the latents of every fold: nobody is tried by a model that saw the donor."""

import shlex
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import mtlbio as mb
from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.config import Latents
from mtlbio.embedding.encode import encode_folds
from mtlbio.embedding.encodings import Encodings
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run
from mtlbio.model.ensemble import FINAL
from mtlbio.tables import read_table

ENCODERS = Path(__file__).parents[2] / "benchmarks" / "encoders"
YAML = """\
run: encoded
latents: {{encode: {command!r}, corrected_for: []}}
expression: {{path: expression.parquet, scale: log2}}
metadata: {{path: metadata.csv, donor: donor_id}}
tasks: {{disease: {{kind: binary, positive: case}}}}
covariates:
  age:   {{role: confounder, kind: continuous}}
  batch: {{role: technical}}
splits: {{folds: 3}}
gene_sets: builtin
probe: {{permutations: 199, bootstrap: 100}}
"""


def command_of(encoder: str) -> str:
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(ENCODERS / encoder))} {{train}} {{test}} {{out}}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("encoded")
    write_simulation(folder, simulate("clear", 0, donors=100, genes=300))
    return folder


@pytest.mark.parametrize("encoder", ["pca.py", "autoencoder.py", "mofa.py"])
def test_an_encoder_is_tried_on_donors_that_it_did_not_see(folder, encoder):
    if encoder == "mofa.py":
        pytest.importorskip("mofapy2", reason="mofapy2 is not installed (pip install mtlbio[bench])")
    results, yaml = folder / encoder.removesuffix(".py"), folder / f"{encoder}.yaml"
    yaml.write_text(YAML.format(command=command_of(encoder)))
    run = read_run(yaml)
    mb.prepare(run, results)
    mb.train(run, results)
    verdicts = mb.trial(run, results)
    if encoder != "autoencoder.py":  # whose dimensions are turned as training left them
        technical = verdicts[verdicts["verdict"] == "technical"]
        assert len(technical) and (technical["driver"] == "batch").all()
    assert verdicts["stability"].notna().all() and verdicts["stability"].max() > 0.8
    latents = ad.read_h5ad(results / "latents.h5ad")
    truth = pd.read_csv(folder / "truth.csv", index_col=0).loc[latents.obs_names]
    if encoder != "autoencoder.py":
        assert np.abs(np.corrcoef(latents.X.T, truth["interferon"])[-1, :-1]).max() > 0.6
    replicas = read_table(results / "probing" / "replicas.tsv")
    assert replicas["fold"].tolist() == [0, 1, 2] and (replicas["n_held_out"] > 20).all()
    predictions = read_table(results / "predictions.tsv")
    assert set(predictions["arm"]) == {"latents"} and len(predictions) == 100


@pytest.fixture(scope="module")
def prepared(folder) -> tuple[Cohort, pd.DataFrame]:
    yaml = folder / "prepared.yaml"
    yaml.write_text(YAML.format(command=command_of("pca.py")))
    run = read_run(yaml)
    splits = mb.prepare(run, folder / "prepared")
    return read_cohort(folder / "prepared" / "cohort.h5ad"), splits


def encoded(prepared, body: str, tmp_path: Path, **options) -> dict[int, np.ndarray]:
    script = tmp_path / "encoder.py"
    script.write_text("import sys\nimport anndata as ad\nimport pandas as pd\ntrain, test, out = sys.argv[1:]\n" + body)
    command = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} {{train}} {{test}} {{out}}"
    return encode_folds(Latents(encode=command, **options), *prepared, tmp_path)


READ = "a, b = ad.read_h5ad(train), ad.read_h5ad(test)\n"
WRITE = "pd.DataFrame({'first': x}, index=[*a.obs_names, *b.obs_names]).to_csv(out, sep='\\t')\n"


def test_the_command_gets_the_training_donors_with_labels_and_the_others_without(prepared, tmp_path):
    cohort, splits = prepared
    body = READ + "assert list(b.obs.columns) == ['donor'] and 'disease' in a.obs\n"
    body += "assert not set(a.obs['donor']) & set(b.obs['donor'])\nx = [1.0] * len(a) + [0.0] * len(b)\n" + WRITE
    found = encoded(prepared, body, tmp_path)
    assert sorted(found) == [FINAL, 0, 1, 2]
    for fold, values in found.items():
        held_out = (splits.set_index("sample").loc[cohort.samples, "fold"].astype(int) == fold).to_numpy()
        assert (values[:, 0] == np.where(held_out, 0.0, 1.0)).all()


def test_files_may_be_tables(prepared, tmp_path):
    body = "a, b = (pd.read_csv(f, sep='\\t', index_col=0) for f in (train, test))\n"
    body += "x = pd.concat([a, b])\nx.iloc[:, :2].to_csv(out, sep='\\t')\n"
    cohort = prepared[0]
    found = encoded(prepared, body, tmp_path, files="tsv")
    np.testing.assert_allclose(found[1], cohort.expression[:, :2], rtol=1e-5)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("sys.exit('no GPU here')\n", "the command of fold 0 ended with status 1: no GPU here"),
        ("pass\n", "the command of fold 0 wrote no {out}"),
        (READ + "x = [1.0] * len(a)\nb = b[:0]\n" + WRITE, "no row for "),
        (READ + "x = [float('inf')] * (len(a) + len(b))\n" + WRITE, "no finite numbers"),
    ],
)
def test_what_a_command_does_wrong_is_one_line(prepared, tmp_path, body, line):
    with pytest.raises(InputError) as caught:
        encoded(prepared, body, tmp_path)
    said = str(caught.value)
    assert said.startswith("latents.encode: ") and line in said and "\n" not in said


def test_folds_are_matched_whatever_their_order_and_sign():
    rng = np.random.default_rng(0)
    z, fold = rng.normal(size=(90, 4)), np.arange(90) % 3
    raw = {FINAL: z}
    for number in range(3):
        order, sign = rng.permutation(4), rng.choice([-1.0, 1.0], 4)
        raw[number] = 5 + 3 * (z + 0.1 * rng.normal(size=z.shape))[:, order] * sign
    found = Encodings.matched(raw, fold)
    assert (found.stability > 0.97).all()
    held_out = found.out_of_fold(fold)
    assert all(np.corrcoef(held_out[:, d], z[:, d])[0, 1] > 0.97 for d in range(4))
    assert abs(held_out.mean()) < 0.1 and abs(held_out.std() - 1) < 0.1


def test_what_does_not_vary_is_left_out():
    """MOFA2 switches factors off; other folds keep more of them."""
    rng = np.random.default_rng(0)
    z, fold = rng.normal(size=(60, 3)), np.arange(60) % 2
    off = z * [1.0, 1.0, 1e-9]
    found = Encodings.matched({FINAL: off, 0: z, 1: off}, fold)
    assert found.by_fold[0].shape == (60, 2) and (found.stability > 0.99).all()
    with pytest.raises(InputError, match="no dimension of {out} varies"):
        Encodings.matched({FINAL: np.ones((60, 2)), 0: z}, fold)


def test_encodings_come_back_from_their_file(tmp_path):
    rng = np.random.default_rng(0)
    found = Encodings({FINAL: rng.normal(size=(5, 2)), 0: rng.normal(size=(5, 2))}, np.array([0.9, 0.4]))
    found.save(tmp_path)
    back = Encodings.load(tmp_path)
    assert sorted(back.by_fold) == [FINAL, 0] and (back.by_fold[0] == found.by_fold[0]).all()
    assert (back.stability == found.stability).all()
    with pytest.raises(InputError, match="latents.safetensors: no such file; run `mtlbio train` first"):
        Encodings.load(tmp_path / "nowhere")
