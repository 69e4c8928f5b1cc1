"""What is said of a job."""

from types import SimpleNamespace

from mtlbio.cluster.jobs import in_words, title, title_of, too_much


def test_the_name_of_a_job():
    assert title("train", {"run": "a", "fold": "2"}, "7") == "run a, step train, fold 2 (Slurm job 7)"
    assert title_of(SimpleNamespace(name="all"), None) == "step all (not submitted)"


def test_what_a_job_asks_for():
    assert in_words({"threads": 4, "mem_mb": 4000, "runtime": 60}) == "4 threads, 4000 MB, 60 min"
    assert in_words({"threads": 1}) == "1 thread" and in_words({}) == "what the cluster gives"


def test_what_is_too_much(command):
    command("sinfo", "[ $3 = --partition=p ] && echo 'p|10:00|2|900|idle|UNLIMITED'")
    job = SimpleNamespace(resources={"slurm_partition": "p"})
    words = "it asks for 1 thread, 60 min, partition p gives 2 threads, 900 MB, 10 min"
    assert too_much(job, {"threads": 1, "runtime": 60}) == words
    command("sinfo", "exit 1")
    assert too_much(SimpleNamespace(resources={}), {"runtime": 60}) == "it asks for 60 min"
