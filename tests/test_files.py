"""Writing: all or nothing, with the modes of the umask, and nothing left of processes that are no more."""

import os
import subprocess
import sys
import time

import pytest

from mtlbio.files import _HOST, noting_written, replacing, scratch, sweep


def test_a_failure_leaves_what_was_there(tmp_path):
    (tmp_path / "a.tsv").write_text("before")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a.tsv") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == ["a.tsv"] and (tmp_path / "a.tsv").read_text() == "before"


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    for name in ("one", "two"):
        with replacing(tmp_path / "model") as temporary:
            temporary.mkdir()
            (temporary / name).write_text(name)
    assert os.listdir(tmp_path) == ["model"] and os.listdir(tmp_path / "model") == ["two"]


@pytest.mark.parametrize("umask, file, folder", [(0o022, 0o644, 0o755), (0o027, 0o640, 0o750), (0o002, 0o664, 0o775)])
def test_modes_follow_the_umask_whatever_the_writer_does(tmp_path, umask, file, folder):
    before = os.umask(umask)
    try:
        with replacing(tmp_path / "model") as temporary:
            temporary.mkdir(mode=0o700)
            (temporary / "weights").write_text("x")
            (temporary / "weights").chmod(0o600)  # as safetensors does
    finally:
        os.umask(before)
    assert (tmp_path / "model").stat().st_mode & 0o777 == folder
    assert (tmp_path / "model/weights").stat().st_mode & 0o777 == file


def test_weights_of_a_model_can_be_read_by_the_group(tmp_path):
    from safetensors.numpy import save_file

    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "w.safetensors") as temporary:
            save_file({}, temporary)
    finally:
        os.umask(before)
    assert (tmp_path / "w.safetensors").stat().st_mode & 0o777 == 0o640


def test_what_is_written_is_noted_in_nested_lists(tmp_path):
    with noting_written() as outer:
        with replacing(tmp_path / "a"):
            (tmp_path / "a.x").touch()
            next(tmp_path.glob(".mtlbio-*")).joinpath("a").touch()
        with noting_written() as inner, replacing(tmp_path / "b") as temporary:
            temporary.touch()
    assert (outer, inner) == ([tmp_path / "a", tmp_path / "b"], [tmp_path / "b"])


def test_temporary_folders_of_the_dead_are_swept_and_no_others(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    alive = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (tmp_path / "model").mkdir()
    names = [f".mtlbio-{_HOST}-{dead.pid}-aaaaaaaa", f"model/.mtlbio-{_HOST}-{dead.pid}-bbbbbbbb"]
    kept = [f".mtlbio-{_HOST}-{alive.pid}-aaaaaaaa", ".mtlbio-node7-1-aaaaaaaa", ".mtlbio-mine", ".mtlbio-x-y-z"]
    for name in [*names, *kept, ".mtlbio-node7-1-old"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "cohort.h5ad").touch()
    past = time.time() - 3 * 24 * 3600
    os.utime(tmp_path / ".mtlbio-node7-1-old", (past, past))
    try:
        removed = sweep(tmp_path)
    finally:
        alive.kill()
        alive.wait()
    assert sorted(str(p.relative_to(tmp_path)) for p in removed) == sorted([*names, ".mtlbio-node7-1-old"])
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*kept, "model"])


def test_a_scratch_folder_is_gone_in_the_end_and_swept_where_its_process_is(tmp_path):
    with scratch(tmp_path / "new") as folder:
        (folder / "a").write_text("")
        assert folder.parent == tmp_path / "new"
    with pytest.raises(ZeroDivisionError), scratch(tmp_path / "new"):
        _ = 1 / 0
    assert list((tmp_path / "new").iterdir()) == []
    code = (
        "import os, sys; from mtlbio.files import scratch; held = scratch(sys.argv[1]); held.__enter__(); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    (left,) = tmp_path.glob(".mtlbio-*")
    assert sweep(tmp_path) == [left] and not left.exists()
