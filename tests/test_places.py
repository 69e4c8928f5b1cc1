"""Places that cannot be written: results, home, caches, temporary files, the folder of a draft."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mtlbio import cli
from mtlbio.errors import InputError
from mtlbio.places import check_writable, nearest, use_writable_caches

CACHES = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR")


@pytest.fixture
def below(tmp_path):
    """A path below a file: nobody can write there, root neither."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "folder"


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """The environment, put back afterwards; temporary files are below the test's own folder."""
    import tempfile

    for name in CACHES:
        monkeypatch.setenv(name, "")  # monkeypatch puts it back, also where it was unset
        monkeypatch.delenv(name)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return monkeypatch


def test_a_folder_below_a_file_is_one_line(below):
    with pytest.raises(InputError) as caught:
        check_writable(below, "--results")
    line = f"{below}: --results: {below.parent} is a file; expected a folder, or a name for a new one"
    assert str(caught.value) == line


def test_nothing_is_left_where_something_can_be_written(tmp_path):
    check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == [] and nearest(tmp_path / "a" / "b") == tmp_path
    with pytest.raises(InputError, match="cannot be written .*name too long"):
        check_writable(tmp_path / ("x" * 300) / "y")
    with pytest.raises(InputError, match="cannot be written .*null byte"):
        check_writable(str(tmp_path) + "/a\0b")


def _as_user(folder: Path, command: list[str]) -> list[str]:
    """The command without root's right to write everywhere; skipped where that cannot be had."""
    if os.getuid():
        return command
    if not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and setpriv is not there to take that right away")
    rights = "-dac_override,-dac_read_search,-fowner"
    command = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}", *command]
    if subprocess.run([*command[:3], "sh", "-c", f"touch {folder}/x"], capture_output=True).returncode == 0:
        pytest.skip("root keeps the right to write everywhere")
    return command


@pytest.fixture
def locked(tmp_path):
    """A folder without the right to write."""
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


CHECK = """
import sys
from mtlbio.places import check_writable, use_writable_caches
use_writable_caches()
check_writable(sys.argv[1])
"""


def test_a_folder_without_the_right_to_write_is_one_line(locked):
    command = _as_user(locked, [sys.executable, "-c", CHECK, str(locked / "results")])
    done = subprocess.run(command, capture_output=True, text=True)
    line = f"InputError: {locked}/results: results: cannot be written (Permission denied); expected a folder in which"
    assert line in done.stderr.splitlines()[-1]


def test_a_read_only_disk_is_one_line(tmp_path):
    if os.getuid() or not shutil.which("unshare"):
        pytest.skip("a read-only mount needs root and unshare")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
    program = f"{sys.executable} -c '{CHECK}' {folder}/results"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f"{mount} || exit 99; {program}"], capture_output=True, text=True
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"no read-only mount here: {done.stderr.strip()[:80]}")
    assert f"{folder}/results: results: cannot be written (Read-only file system); " in done.stderr.splitlines()[-1]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    if os.getuid() or not shutil.which("unshare"):
        pytest.skip("a small disk needs root and unshare")
    folder = tmp_path / "disk"
    folder.mkdir()
    words = f"{sys.executable} -m mtlbio simulate {folder}/planted --donors 200 --genes 2000 2>&1; ls -A {folder}"
    script = f"mount -t tmpfs -o size=1m tmpfs {folder} || exit 99; {words}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"no small disk here: {done.stderr.strip()[:80]}")
    line, *left = done.stdout.splitlines()
    assert re.fullmatch(r"mtlbio: error: .*: No space left on device; free some space, or give a folder on .*", line), (
        line
    )
    assert left in ([], ["planted"])


def test_caches_move_to_temporary_files_only_where_they_cannot_be_written(kept, below, tmp_path):
    kept.setenv("HOME", str(tmp_path))
    use_writable_caches()
    assert not [name for name in CACHES if name in os.environ]
    kept.setenv("HOME", str(below))
    kept.setenv("NUMBA_CACHE_DIR", str(below / "numba"))
    use_writable_caches()
    place = tmp_path / "tmp" / f"mtlbio-{os.getuid()}"
    assert {name: os.environ.get(name) for name in CACHES} == {
        "XDG_CACHE_HOME": f"{place}/xdg_cache_home",
        "XDG_CONFIG_HOME": None,
        "MPLCONFIGDIR": f"{place}/mplconfigdir",
        "NUMBA_CACHE_DIR": f"{place}/numba_cache_dir",
    }
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_a_folder_that_somebody_else_could_write_is_not_used(kept, below, tmp_path):
    kept.setenv("HOME", str(below))
    place = tmp_path / "tmp" / f"mtlbio-{os.getuid()}"
    place.mkdir()
    place.chmod(0o777)
    use_writable_caches()
    used = Path(os.environ["XDG_CACHE_HOME"]).parent
    assert used != place and used.parent == place.parent and stat.S_IMODE(used.stat().st_mode) == 0o700


def test_without_any_folder_for_temporary_files_a_line_says_so(kept, below):
    import tempfile

    kept.setenv("HOME", str(below))
    kept.setattr(tempfile, "tempdir", str(below))
    with pytest.raises(
        InputError, match="^TMPDIR: no folder for temporary files can be written .*; set TMPDIR to one$"
    ):
        use_writable_caches()


RUN = "run: tiny\nexpression: {path: e.csv, scale: log2}\nmetadata: {path: m.csv}\ntasks: {age: {kind: regression}}\n"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("run", "run.yaml", "--results", "file/results"), "--results"),
        (("plan", "run.yaml", "--results", "file/results"), "results"),
        (("prepare", "run.yaml", "--results", "file/results"), "results"),
        (("simulate", "file/planted"), "results"),
        (("init", "e.csv", "m.csv", "--out", "file/run.yaml"), "--out"),
    ],
)
def test_a_command_says_before_it_works_that_it_cannot_write(tmp_path, monkeypatch, capsys, words, what):
    monkeypatch.chdir(tmp_path)
    rows = range(12)
    Path("e.csv").write_text("sample_id,ACTB,GAPDH\n" + "".join(f"s{i},{i},{i % 5}\n" for i in rows))
    Path("m.csv").write_text("sample_id,donor_id,age\n" + "".join(f"s{i},d{i},{30 + i}\n" for i in rows))
    Path("run.yaml").write_text(RUN)
    Path("file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(sys, "argv", ["mtlbio", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    err = capsys.readouterr().err
    assert ended.value.code == 2 and err.count("\n") == 1 and err.startswith("mtlbio: error: ")
    assert f"{what}: " in err and "/file is a file; expected a folder" in err
    assert sorted(tmp_path.rglob("*")) == before


PROGRAM = """\
import os
import sys
from mtlbio import cli

def double(x):
    return 2 * x

def work():
    import matplotlib.pyplot, numba
    from snakemake.common import get_appdirs
    assert numba.njit(cache=True)(double)(3) == 6
    os.makedirs(get_appdirs().user_cache_dir, exist_ok=True)
    print(matplotlib.get_cachedir())

cli.app.command("work")(work)
sys.argv = ["mtlbio", "work"]
cli.main()
"""


def test_the_whole_command_line_works_without_home_caches_and_tmpdir(below, tmp_path):
    """Snakemake's, matplotlib's and numba's caches, all of them unusable at once."""
    environment = {key: value for key, value in os.environ.items() if key not in CACHES}
    environment |= {"HOME": str(below), "TMPDIR": str(below / "tmp"), "MPLCONFIGDIR": str(below / "mpl")}
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run([sys.executable, tmp_path / "program.py"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.endswith("/mplconfigdir\n")
