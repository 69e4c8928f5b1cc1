"""Names of the sharing schemes, with a line for the user; torch is not needed to read them."""

from __future__ import annotations

SHARING = {
    "hard": "one trunk for all tasks, a head each (Caruana 1997)",
    "soft": "a trunk per task, kept close to the others' (Duong et al. 2015)",
    "offset": "one trunk plus an offset per task, kept small (Evgeniou & Pontil 2004)",
    "cross_stitch": "a trunk per task, mixed by a learned matrix (Misra et al. 2016)",
    "mmoe": "three trunks, of which each task chooses sample by sample (Ma et al. 2018)",
    "ple": "two shared trunks and one of the task's own, chosen sample by sample (Tang et al. 2020)",
    "attention": "one trunk, whose dimensions each task masks sample by sample (after Liu et al. 2019)",
    "trace_norm": "a free map per task, all of them together of low rank (Argyriou et al. 2008)",
    "task_relation": "a free map per task, tied by learned relations of the tasks (Zhang & Yeung 2010)",
}
