"""One thread per process, whatever the number of cores.

The matrices of a cohort are small: a second thread of torch or BLAS mostly waits for the first, by turning in a loop,
and where others use the machine too both wait (``benchmarks/speed/threads.py``). Sums are also taken in another order.
So a step computes with one thread and gives the same bytes on every machine of a kind; further cores are for further
runs, folds and networks, in processes of their own.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_allotted: ContextVar[int | None] = ContextVar("allotted", default=None)


def allotted() -> int:
    """Cores that this process may keep busy: what Snakemake gave the rule (``OMP_NUM_THREADS``), else all it can."""
    given = _allotted.get()
    if given is not None:
        return given
    text = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(text) if text.isdigit() and int(text) else cores


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread inside; afterwards everything is as it was.

    Libraries that are loaded already are told so, those that are loaded inside, and processes that are started, read
    it from the environment.
    """
    from threadpoolctl import threadpool_limits

    names = [f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")]
    before, token = {name: os.environ.get(name) for name in names}, _allotted.set(allotted())
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else allotted()
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        with threadpool_limits(1):
            if torch:
                torch.set_num_threads(1)
            yield
    finally:
        _allotted.reset(token)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(threads)
