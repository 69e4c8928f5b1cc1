"""Time stamps in the future."""

import os
import time

import pytest

from mtlbio.errors import InputError
from mtlbio.launch.times import TOLERATED, check_times


def test_a_stamp_in_the_future_names_the_file_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)
    first, second, now = (tmp_path / name for name in ("my data.csv", "other.csv", "now.csv"))
    for path, ahead in ((first, 3600), (second, 60), (now, TOLERATED - 1)):
        path.touch()
        os.utime(path, (1_700_000_000 + ahead,) * 2)
    check_times([now, tmp_path / "missing.csv"])
    with pytest.raises(InputError) as caught:
        check_times([now, first, second])
    line = str(caught.value)
    assert (
        line.startswith(f"{first}: its time stamp, 20") and "lies in the future" in line and "(1 more like it)" in line
    )
    assert line.endswith(f"set the clock right, or touch '{first}' {second}")
    with pytest.raises(InputError, match=r"future \(now [-\d: ]+\); set"):
        check_times([second])
