"""Alphabets and scales: codes, states, and numbers of the literature."""

import numpy as np
import pytest

from mtlbio.labels.residues.alphabet import MISSING_STATE, Q3, Q8, encode_states, three_states, to_q3
from mtlbio.sequence.letters import AMINO_ACIDS, LARGEST_AREA, UNKNOWN, decode, encode
from mtlbio.sequence.scales import AAINDEX, SCALES, blosum62, of_residues


def test_letters_become_codes_and_come_back():
    codes = encode(AMINO_ACIDS.lower() + "XBZJUO*")
    assert codes.tolist() == [*range(20), *[UNKNOWN] * 6]
    assert decode(codes) == AMINO_ACIDS + "XXXXXX"


@pytest.mark.parametrize("text, wrong", [("AC-D", "'-' at position 3"), ("A1", "'1' at position 2"), ("AÄ", "'Ä'")])
def test_letters_that_are_no_amino_acids_are_named(text, wrong):
    with pytest.raises(ValueError, match=wrong):
        encode(text)


def test_states_and_what_is_not_known():
    assert encode_states("HGIEBTSC", Q8).tolist() == list(range(8))
    assert encode_states("LP?X~.", Q8).tolist() == [7, 7] + [MISSING_STATE] * 4
    assert encode_states("C-CCCCCCCCCCCC", Q3)[1] == MISSING_STATE
    with pytest.raises(ValueError, match="'Z' at position 2 is no state; valid: H, E, C and ?"):
        encode_states("HZ", Q3)
    with pytest.raises(ValueError, match="write C for coil"):
        encode_states("--HHHH--EEE", Q8)


def test_three_states_are_sums_of_eight():
    assert to_q3(np.array([0, 1, 2, 3, 4, 5, 6, 7, 255], dtype=np.uint8)).tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 255]
    shares = np.arange(1.0, 9.0) / 36
    assert np.allclose(three_states(shares), [6 / 36, 9 / 36, 21 / 36])


def test_blosum62_and_scales_are_those_of_the_literature():
    place = AMINO_ACIDS.index
    matrix = blosum62()
    assert (matrix == matrix.T).all()
    assert [matrix[place(a), place(b)] for a, b in ("WW", "CC", "IV", "KR", "GW")] == [11, 9, 3, 2, -2]
    assert SCALES["hydrophobicity"][place("I")] == 4.5 and SCALES["hydrophobicity"][place("R")] == -4.5
    assert SCALES["charge"].sum() == 0 and AAINDEX["charge"] == "KLEP840101"
    assert SCALES["helix_propensity"].argmax() == place("E") and SCALES["strand_propensity"].argmax() == place("V")
    assert LARGEST_AREA[place("W")] == 285 and LARGEST_AREA[place("G")] == 104
    assert all(len(values) == 20 for values in SCALES.values())


def test_a_scale_along_residues_is_standardised_over_the_twenty():
    values = of_residues("hydrophobicity", np.arange(21))
    assert values[:20].mean() == pytest.approx(0) and values[:20].std() == pytest.approx(1) and values[20] == 0
