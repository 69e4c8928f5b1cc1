"""The line of a job that died."""

from mtlbio.cluster.endings import Ending
from mtlbio.cluster.told import told


def test_one_line_and_the_end_of_the_log(tmp_path):
    log = tmp_path / "train.log"
    log.write_text("".join(f"epoch {i}\n" for i in range(9)))
    text = told("run a, step train (Slurm job 7)", Ending("cancelled", "call it again"), None, log)
    assert text.splitlines() == [
        f"mtlbio: error: run a, step train (Slurm job 7): cancelled; to change: call it again; log: {log}",
        *(f"    | epoch {i}" for i in range(4, 9)),
    ]


def test_what_is_repeated_is_no_error(tmp_path):
    text = told("step a", Ending("cancelled", "call it again"), "8000 MB", tmp_path / "none")
    assert text == f"mtlbio: step a: cancelled; tried again with 8000 MB; log: {tmp_path}/none (not there)"
    (tmp_path / "none").touch()
    assert told("step a", Ending("cancelled"), None, tmp_path / "none").endswith("/none (empty)")
