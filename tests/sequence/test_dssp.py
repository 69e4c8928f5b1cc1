"""DSSP's rules on ideal backbones, and structures as files."""

import numpy as np
import pytest
from backbones import backbone, pdb_text

from mtlbio.errors import InputError
from mtlbio.labels.residues.alphabet import Q8
from mtlbio.sequence.dssp import assign, hydrogen_bonds


def states(torsions, proline=()) -> str:
    found = assign(backbone(torsions), np.isin(np.arange(len(torsions)), proline))
    return "".join(Q8[code] for code in found)


@pytest.mark.parametrize(
    "phi, psi, expected",
    [
        (-57.8, -47.0, "CHHHHHHHHHHHHC"),  # alpha: bonds i + 4 -> i
        (-49.0, -26.0, "CGGGGGGGGGGGGC"),  # 3-10
        (-57.0, -70.0, "CIIIIIIIIIIIIC"),  # pi
        (-120.0, 130.0, "CCCCCCCCCCCCCC"),  # a lone strand has no partner
    ],
)
def test_ideal_helices(phi, psi, expected):
    assert states([(phi, psi)] * 14) == expected


def test_a_hairpin_is_two_strands_around_a_turn():
    strand = [(-120.0, 140.0)] * 6
    assert states(strand + [(60.0, 30.0), (90.0, 0.0)] + strand) == "CCCEEETTEEECCC"
    # with other torsions only one bridge is left: no ladder, so B
    strand = [(-120.0, 120.0)] * 6
    assert states(strand + [(60.0, 30.0), (90.0, 0.0)] + strand) == "CCCCCBTTBCCCCC"


def test_proline_gives_no_hydrogen_bond():
    whole = backbone([(-57.8, -47.0)] * 12)
    joined = np.arange(12) > 0
    bonds = hydrogen_bonds(whole, np.zeros(12, bool), joined)
    assert bonds[np.arange(8), np.arange(4, 12)].all()
    proline = np.arange(12) == 6
    assert not hydrogen_bonds(whole, proline, joined)[:, 6].any()


def test_a_break_in_the_chain_ends_a_helix():
    first, second = backbone([(-57.8, -47.0)] * 12), backbone([(-57.8, -47.0)] * 12) + 60.0
    found = assign(np.concatenate([first, second]), np.zeros(24, bool))
    assert "".join(Q8[c] for c in found) == "CHHHHHHHHHHC" * 2


def test_a_structure_becomes_chains_with_labels(tmp_path):
    pytest.importorskip("biotite")
    from mtlbio.sequence.structures import read_structure

    helix, strand = backbone([(-57.8, -47.0)] * 14), backbone([(-120.0, 130.0)] * 8) + 50.0
    water = "HETATM 9999  O   HOH A 900      90.000  90.000  90.000  1.00  0.00           O\n"
    (tmp_path / "x.pdb").write_text(pdb_text({"A": helix, "B": strand}, extra=water))
    chains = {name: (sequence, columns) for name, sequence, columns in read_structure(tmp_path / "x.pdb")}
    assert list(chains) == ["x_A", "x_B"] and chains["x_A"][0] == "A" * 14
    assert chains["x_A"][1]["q8"] == "CHHHHHHHHHHHHC" and chains["x_A"][1]["q3"] == "CHHHHHHHHHHHHC"
    assert chains["x_B"][1]["q8"] == "C" * 8
    rsa = {name: np.array(told["rsa"].split(), dtype=float) for name, (_, told) in chains.items()}
    assert ((rsa["x_A"] > 0) & (rsa["x_A"] <= 1)).all()
    # the middle of a helix is more buried than that of an extended strand
    assert rsa["x_A"][4:10].mean() < 0.8 * rsa["x_B"][3:5].mean()


def test_a_file_that_is_no_structure_is_one_clear_line(tmp_path):
    pytest.importorskip("biotite")
    from mtlbio.sequence.structures import read_structure

    for name, text in (("a.cif", "nothing"), ("b.pdb", "END\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError) as caught:
            list(read_structure(tmp_path / name))
        assert str(caught.value).startswith(str(tmp_path / name)) and "\n" not in str(caught.value)


def test_atoms_that_are_worlds_apart_are_no_chain(tmp_path):
    """Their surface was counted in cells of space, terabytes of them."""
    from mtlbio.sequence.structures import read_structure

    text = pdb_text({"A": backbone([(-60.0, -45.0)] * 4)})
    first = text.splitlines()[0]
    far = first[:30] + " 9999.000"[1:] + first[38:]
    (tmp_path / "x.pdb").write_text(text.replace(first, far))
    with pytest.raises(
        InputError, match=r"x.pdb: chain A spans 9,\d\d\d angstrom; expected coordinates of one molecule"
    ):
        list(read_structure(tmp_path / "x.pdb"))
