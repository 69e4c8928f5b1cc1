"""Starts the processes of one machine and watches them, with torch's own launcher (that of ``torchrun``).

    python -m mtlbio.training.deep.agent FOLDER MACHINES PROCESSES_ON_EACH ENDPOINT

A process that dies takes the others with it, on all machines; how it ended is written into the folder. When whoever
started this one is gone, so that its standard input ends, all end.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch


def in_each_process(folder: str) -> None:
    """What they do; imported there, since this process needs none of it."""
    from mtlbio.training.deep.worker import work

    work(folder)


def main(folder: str, machines: int, processes: int, endpoint: str) -> int:
    """Gives the exit status."""
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    config = LaunchConfig(
        min_nodes=machines,
        max_nodes=machines,
        nproc_per_node=processes,
        run_id=Path(folder).name,
        rdzv_backend="c10d",
        rdzv_endpoint=endpoint,
        max_restarts=0,
        monitor_interval=0.1,
        start_method="spawn",
        local_addr="localhost" if machines == 1 else None,
    )
    try:
        elastic_launch(config, in_each_process)(folder)
    except ChildFailedError as error:
        from mtlbio.training.deep.orders import Failure

        for process, failure in error.failures.items():
            name = failure.signal_name() if failure.exitcode < 0 else ""
            message = failure.message
            message = str(message.get("message", message) if isinstance(message, dict) else message)
            Failure(process, name, message, failure.timestamp).write(Path(folder))
        return 1
    return 0


def _end_with_the_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
