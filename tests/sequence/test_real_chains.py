"""The joint set of the project's data folder, where it is at hand."""

from pathlib import Path

import numpy as np
import pytest

from mtlbio.kinds.schemas import ProteinRun
from mtlbio.labels.residues.alphabet import to_q3
from mtlbio.sequence.features import open_profiles
from mtlbio.sequence.prepare import read_checked

DATA = Path(__file__).parents[2] / "../shared/data"
JOINT = DATA / "protein_ss_rsa/joint_ss8_rsa.csv.gz"
PROFILES = DATA / "protein_profiles/graphppis_profiles_f16.npz"


@pytest.fixture(scope="module")
def joint():
    if not JOINT.exists():
        pytest.skip("no joint set of chains at hand")
    source = {"path": str(JOINT), "sequence": "seq", "source": "source_set", "cluster": "cluster25", "split": "split"}
    content = {
        "run": "joint",
        "kind": "protein",
        "chains": {"joint": source},
        "tasks": {
            "structure": {"kind": "secondary_structure", "q8": "q8", "q3": "q3"},
            "exposure": {"kind": "accessibility", "column": "rsa_tien"},
            "site": {"kind": "binary", "column": "ppi_site"},
        },
    }
    return read_checked(ProteinRun.model_validate(content))


def test_the_joint_set_has_its_chains_labels_and_parts(joint):
    chains, qc = joint
    counts = chains.obs["part"].value_counts()
    assert (counts["train"], counts["validation"], counts["test"]) == (946, 38, 101)
    assert set(qc.table()["reason"]) <= {"split of no part", "too long", "too short"}
    states = chains.q3["structure"][chains.known("structure")]
    assert np.allclose(np.bincount(states) / len(states), [0.34, 0.25, 0.41], atol=0.02)
    rsa = chains.labels["exposure"]
    assert np.nanmean(rsa) == pytest.approx(0.26, abs=0.01) and np.nanmax(rsa) <= 1
    assert (to_q3(chains.labels["structure"]) == chains.q3["structure"]).all()
    # interaction sites are known of some chains only
    assert 0.3 < chains.labelled("site").mean() < 0.9


def test_profiles_fit_their_chains(joint):
    if not PROFILES.exists():
        pytest.skip("no profiles at hand")
    chains, source = joint[0], open_profiles(PROFILES, ["pssm", "hmm"])
    having = [i for i, name in enumerate(chains.names) if source.has(name)]
    assert source.width == 40 and len(having) > 500
    assert all(len(source.read(chains.names[i])) == chains.lengths[i] for i in having[::20])
