"""``mtlbio run`` and ``snakemake``: two doors to the same workflow."""


def test_a_wrong_run_is_one_line_before_any_job(clone):
    with clone.appended("config/one.yaml", "training: {epoch: 3}"):
        done = clone.call("snakemake", "--cores", "1")
    assert done.returncode != 0
    assert (done.stdout + done.stderr).count("\n") == 1
    assert (done.stdout + done.stderr).startswith("mtlbio: error: config/one.yaml: training.epoch: unknown key")
    assert clone.calls == []


def test_mtlbio_run_shares_the_records_of_snakemake_from_any_folder(finished, tmp_path):
    yaml, results = finished.folder / "config/plain.yaml", finished.folder / "results"
    before = finished.calls
    done = finished.call("mtlbio", "run", str(yaml), "--results", str(results), "-n", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr
    assert finished.calls == before


def test_the_slurm_profile_is_found_by_name_and_can_ask_for_a_gpu(clone, tmp_path):
    words = ["mtlbio", "run", str(clone.folder / "config/one.yaml"), "-n", "--workflow-profile", "slurm"]
    done = clone.call(*words, "--set-resources", "train:gpu=1", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "workflow/profiles/slurm" in done.stdout + done.stderr
    assert "gpu=1" in done.stdout + done.stderr
