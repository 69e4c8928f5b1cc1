"""Options on their way to Snakemake: which spelling means what is Snakemake's business, what is refused is ours."""

import pytest

from mtlbio.errors import InputError
from mtlbio.kinds import STEPS
from mtlbio.launch.options import REFUSED, Options, read_options, split_words


@pytest.mark.parametrize(
    "words, option",
    [
        (["--directory", "x"], "--directory"),
        (["--directory=x"], "--directory"),
        (["--direc=x"], "--directory"),
        (["--direc", "x"], "--directory"),
        (["-d", "x"], "--directory"),
        (["-dx"], "--directory"),
        (["-nd", "x"], "--directory"),
        (["--snakefile", "x"], "--snakefile"),
        (["--snake=x"], "--snakefile"),
        (["-sx"], "--snakefile"),
        (["--config", "results=x"], "--config"),
        (["-C", "results=x"], "--config"),
        (["-Cresults=x"], "--config"),
        (["--configfile", "x"], "--configfile"),
        (["--configfiles=x"], "--configfile"),
        (["-n", "--replace-workflow-config"], "--replace-workflow-config"),
        (["--delete-all-output"], "--delete-all-output"),
        (["--delete-all"], "--delete-all-output"),
        (["--touch"], "--touch"),
        (["-nt"], "--touch"),
        (["--cm", "results/one/model"], "--cleanup-metadata"),
        (["--rerun-triggers", "mtime"], "--rerun-triggers"),
        (["--ii"], "--ignore-incomplete"),
        (["--nolock"], "--nolock"),
        (["--no-hooks"], "--no-hooks"),
        (["--mode", "subprocess"], "--mode"),
    ],
)
def test_what_would_spoil_a_run_is_refused_in_every_spelling(words, option):
    with pytest.raises(InputError) as caught:
        read_options(words)
    assert str(caught.value) == f"{option}: {REFUSED[option]}"


@pytest.mark.parametrize("option", REFUSED)
def test_every_refused_option_is_one_of_snakemakes(option):
    from snakemake.cli import get_argument_parser

    assert option in get_argument_parser()._option_string_actions


@pytest.mark.parametrize(
    "words, line",
    [
        (["--cats"], "unrecognized arguments: --cats"),
        (["--conf", "x"], "ambiguous option: --conf could match"),
        (["--set-threads"], "argument --set-threads: expected at least one argument"),
    ],
)
def test_what_nobody_knows_is_one_line(words, line):
    with pytest.raises(InputError) as caught:
        read_options(words)
    assert str(caught.value).startswith(line) and "\n" not in str(caught.value)
    assert str(caught.value).endswith("; neither mtlbio run (--help) nor Snakemake takes it so")


@pytest.mark.parametrize(
    "words, expected",
    [
        ([], Options()),
        (["-n"], Options(("-n",), runs_jobs=False)),
        (["--unlock"], Options(("--unlock",), runs_jobs=False, checks=False)),
        (["-n", "--report", "x.zip"], Options(("-n", "--report", "x.zip"), runs_jobs=False, checks=False)),
        (["--until", "probe"], Options(("--until", "probe"))),
        (["-j4"], Options(("-j4",), cores_chosen=True)),
        (["--core", "4"], Options(("--core", "4"), cores_chosen=True)),
        (["--workflow-profile", "slurm"], Options(("--workflow-profile", "slurm"), True, True)),
        (["-e", "slurm", "-k"], Options(("-e", "slurm", "-k"), True, True)),
        (["--res", "mem_mb=9000"], Options(("--res", "mem_mb=9000"), memory_chosen=True)),
        (["--forcerun", "report", "-p"], Options(("--forcerun", "report", "-p"), forced=frozenset({"report"}))),
        (["-R", "train_part", "-p"], Options(("-R", "train_part", "-p"), forced=frozenset({"train"}))),
        (["-F"], Options(("-F",), forced=frozenset(STEPS))),
        (["-f", "-p"], Options(("-f", "-p"), forced=frozenset(STEPS))),
        (["-R", "results/a/qc.tsv"], Options(("-R", "results/a/qc.tsv"), forced=frozenset(STEPS))),
        (
            ["--report", "x.zip", "--report-after-run"],
            Options(("--report", "x.zip", "--report-after-run")),
        ),
    ],
)
def test_what_is_passed_on_and_what_it_means(words, expected, tmp_path, monkeypatch):
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm" / "config.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert read_options(words) == expected


def test_runs_end_at_the_first_hyphen():
    assert split_words(["a.yaml", "b", "-n", "c"]) == (["a.yaml", "b"], ["-n", "c"])
    assert split_words(["a.yaml"]) == (["a.yaml"], [])
    assert split_words(["-n", "a.yaml"]) == ([], ["-n", "a.yaml"])


@pytest.mark.parametrize(
    "words", [["-n", "b.yaml"], ["--forcerun", "report", "b.yaml"], ["-k", "cohorts"], ["--until", "probe", "cohorts"]]
)
def test_a_run_behind_an_option_is_no_target(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cohorts").mkdir()
    (tmp_path / "cohorts" / "c.yaml").touch()
    with pytest.raises(InputError) as caught:
        read_options(words)
    line = f"{words[-1]}: runs stand before Snakemake's options: mtlbio run {words[-1]} ... {words[0]} ..."
    assert str(caught.value) == line


def test_a_yaml_may_be_the_value_of_an_option(tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").touch()
    monkeypatch.chdir(tmp_path)
    words = ["--workflow-profile", "mine.yaml", "--slurm-partition-config=parts.yaml"]
    assert read_options(words) == Options(tuple(words), cores_chosen=True, memory_chosen=True)


@pytest.mark.parametrize(
    "words, line",
    [
        (["--forcerun", "reprot"], "--forcerun: no step 'reprot'; did you mean 'report' or "),
        (["--until", "trian"], "--until: no step 'trian'; did you mean 'train'"),
        (["--workflow-profile", "nope"], "--workflow-profile: no profile 'nope'; expected a folder with config.yaml"),
        (["--profile=nope"], "--profile: no profile 'nope'; expected a folder with config.yaml"),
        (["--jobs", "x"], "Error parsing number of jobs"),
    ],
)
def test_a_step_or_profile_that_is_not_there_is_told_and_not_passed_over(words, line):
    with pytest.raises(InputError) as caught:
        read_options(words)
    assert str(caught.value).startswith(line) and "\n" not in str(caught.value)
    assert read_options(["--forcerun", "report", "--workflow-profile", "none"]).runs_jobs
