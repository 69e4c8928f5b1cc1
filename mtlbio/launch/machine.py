"""How much memory this machine has for all jobs together.

Snakemake starts as many jobs as there are cores, however much memory each takes, unless it is told a limit.
"""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup/memory.max")  # of a container, or of an allocation on a cluster


def memory_mb() -> int | None:
    """Megabytes that processes may take together: of the machine, or less where a container limits them; None where
    this system does not say."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    try:
        limit = int(CGROUP.read_text())
    except (ValueError, OSError):  # "max", or no such file
        limit = whole
    return min(whole, limit) // 10**6
