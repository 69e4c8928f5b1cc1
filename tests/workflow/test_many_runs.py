"""Many runs in one workflow: one that fails stops no other, and at the end there is a summary of all."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from mtlbio.tables import read_table


def statuses(clone, results="results"):
    table = read_table(clone.folder / results / "summary.tsv")
    return dict(zip(table["run"], table["status"], strict=True))


def test_one_that_fails_and_two_that_cannot_start_stop_no_other(study):
    (study.folder / "config/b.yaml").write_text("run: b\ntasks: 3\n")
    (study.folder / "c.csv").write_text("sample_id,donor_id,years\ns0,d0,3\n")
    (study.folder / "config/d.yaml").write_text(
        (study.folder / "config/a.yaml").read_text().replace("run: a", "run: d")
    )
    fake = study.folder / "commands/mtlbio"
    stumble = '[ "$step-$2" = train-config/d.yaml ] && { echo "mtlbio: error: made to fail" >&2; exit 2; }\n'
    fake.write_text(fake.read_text().replace('cd "$results"', stumble + 'cd "$results"'))
    done = study.call("mtlbio", "run", "config", "--cores", "2")
    assert done.returncode == 1
    table = read_table(study.folder / "results/summary.tsv").set_index("run")
    assert table["status"].to_dict() == {"a": "finished", "d": "failed", "b": "not started", "c": "not started"}
    assert table.loc["d", ["step", "error", "log"]].tolist() == ["train", "made to fail", "d/logs/train.log"]
    assert table.loc["b", "error"].startswith("config/b.yaml: ")
    assert "no column 'age'" in table.loc["c", "error"] or "age" in table.loc["c", "error"]
    lines = done.stderr.splitlines()
    assert lines.count("config: left out, since no `run:` stands in it: config/config.yaml") == 1
    assert lines.count("2 of 4 runs cannot be started; the others go on") == 1
    assert lines[-2] == "4 runs: 1 finished, 1 failed, 2 not started"
    assert lines[-1].startswith(f"Summary: {study.folder}/results/summary.tsv")
    assert (study.folder / "results/index.html").exists()


def test_nothing_to_do_still_gives_the_summary_and_the_status_of_what_is_wrong(study):
    yamls = [study.yaml(run) for run in "ab"]
    assert study.call("mtlbio", "run", *yamls, "--cores", "2").returncode == 0
    before = study.calls
    done = study.call("mtlbio", "run", *yamls, "nowhere.yaml")
    assert (done.returncode, study.calls) == (1, before)
    assert "Nothing to be done" in done.stdout + done.stderr
    assert statuses(study) == {"a": "finished", "b": "finished", "nowhere": "not started"}


def test_one_run_more_is_added_to_the_summary(study):
    for run in "ac":
        assert study.call("mtlbio", "run", study.yaml(run)).returncode == 0
    assert statuses(study) == {"c": "finished", "a": "finished"}


def test_plain_snakemake_gives_the_summary_too(study):
    (study.folder / "fail_report").touch()
    done = study.call("snakemake", "--cores", "2", "--keep-going")
    assert done.returncode == 1
    assert statuses(study) == dict.fromkeys("abc", "failed")
    assert "3 runs: 3 failed" in done.stderr
    (study.folder / "fail_report").unlink()
    done = study.call("snakemake", "--cores", "2")
    assert done.returncode == 0 and "3 runs: 3 finished" in done.stderr
    assert statuses(study) == dict.fromkeys("abc", "finished")


def test_a_dry_run_and_unlock_write_nothing(study):
    for option in ("-n", "--unlock"):
        done = study.call("mtlbio", "run", study.yaml("a"), study.yaml("b"), option)
        assert done.returncode == 0, done.stderr
        assert not (study.folder / "results").exists() and "finished" not in done.stderr


def test_nothing_that_can_run_is_status_2_and_stands_in_the_summary(study):
    done = study.call("mtlbio", "run", "x.yaml", "y.yaml", "--results", "deep/out")
    assert done.returncode == 2 and study.calls == []
    lines = done.stderr.splitlines()
    assert [line.partition("; ")[0] for line in lines[:2] + lines[3:]] == [
        "mtlbio: error: x.yaml: no such file",
        "mtlbio: error: y.yaml: no such file",
        "mtlbio: error: none of 2 runs can be started",
    ]
    assert lines[2].startswith(f"Summary: {study.folder}/deep/out/summary.tsv, and as a page ")
    assert statuses(study, "deep/out") == {"x": "not started", "y": "not started"}
    assert sorted(path.name for path in (study.folder / "deep").rglob("*")) == ["index.html", "out", "summary.tsv"]


def test_a_single_mistake_is_one_line_and_joins_a_summary_that_is_there(study):
    words = ["mtlbio", "run", "x.yaml"]
    done = study.call(*words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and not (study.folder / "results").exists()
    assert study.call("mtlbio", "run", "x.yaml", "y.yaml", "-n").returncode == 2
    assert not (study.folder / "results").exists()
    assert study.call("mtlbio", "run", study.yaml("a")).returncode == 0
    done = study.call(*words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert statuses(study) == {"x": "not started", "a": "finished"}


def test_what_the_workflow_itself_refuses_stands_in_the_summary(study):
    # the results were removed while another machine was at work on them
    owner = study.folder / ".snakemake/mtlbio_owners/c.json"
    owner.parent.mkdir(parents=True)
    owner.write_text(json.dumps({"host": "node7", "boot": "", "pid": 4711, "start": 1}))
    done = study.call("mtlbio", "run", study.yaml("a"), study.yaml("c"))
    assert (done.returncode, study.calls) == (2, [])
    assert "process 4711 on node7 is at work on this run" in done.stderr
    assert statuses(study) == {"a": "not started", "c": "not started"}
    table = read_table(study.folder / "results/summary.tsv")
    assert all("process 4711 on node7 is at work on this run" in text for text in table["error"])


@pytest.mark.parametrize("words", [["-n", "config/a.yaml"], ["config/a.yaml", "-n", "config/b.yaml"]])
def test_runs_behind_an_option_are_refused(study, words):
    done = study.call("mtlbio", "run", *words)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert study.calls == []


def test_ctrl_c_ends_the_workflow_and_says_how_far_it_came(study):
    (study.folder / "wait_train").touch()
    begun = subprocess.Popen(
        [sys.executable, "-m", "mtlbio", "run", study.yaml("a"), "--cores", "1"],
        cwd=study.folder,
        env=study.environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a shell that starts the tests in the background makes them deaf to it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(600):
        if (study.folder / "waiting").exists():
            break
        time.sleep(0.1)
    os.killpg(begun.pid, signal.SIGINT)
    said = begun.communicate(timeout=60)[1]
    assert begun.returncode == 130
    assert "1 run: 1 unfinished" in said
    assert statuses(study) == {"a": "unfinished"}
    (study.folder / "wait_train").unlink()
    assert study.call("mtlbio", "run", study.yaml("a")).returncode == 0
    assert statuses(study) == {"a": "finished"}


@pytest.mark.parametrize("name", ["007", "null", 'it\'s a "name": 50%, $(touch x) naïve 結果'])
def test_results_are_where_the_option_says(clone, name):
    done = clone.call("mtlbio", "run", clone.yaml("one"), "--results", f"deep/{name}", "--cores", "2")
    assert done.returncode == 0, done.stderr
    assert (clone.folder / "deep" / name / "one" / "report.html").exists()
    assert sorted(path.name for path in (clone.folder / "deep").iterdir()) == sorted([".snakemake", name])
    assert not (clone.folder / "x").exists() and not (clone.folder / "deep" / "x").exists()
    again = clone.call("mtlbio", "run", clone.yaml("one"), "--results", f"deep/{name}")
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr


@pytest.mark.parametrize("name", ["{run}", " a", "a\n"])
def test_names_that_snakemake_would_misread_are_refused(clone, name):
    done = clone.call("mtlbio", "run", clone.yaml("one"), "--results", name)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("mtlbio: error: --results: ")


def test_a_stamp_in_the_future_is_told_before_work(clone):
    ahead = time.time() + 86400
    os.utime(clone.folder / "expression.csv", (ahead, ahead))
    done = clone.call("mtlbio", "run", clone.yaml("one"))
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "expression.csv: its time stamp, " in done.stderr and f"touch {clone.folder}/expression.csv" in done.stderr
    (clone.folder / "expression.csv").touch()
    assert clone.call("mtlbio", "run", clone.yaml("one")).returncode == 0
