"""The command that measures the level of tests of relatives."""

from benchmarks.calibration.relatives import WAYS, rejections


def test_strangers_are_believed_too_much_and_families_are_not():
    found = rejections([4] * 20, 0.999, 60).groupby("way")["5"].mean()
    assert set(found.index) == set(WAYS)
    assert found["donors"] > 0.15 and found["own"] < 0.08 and found["both"] <= found["own"] <= found["g-1"]
