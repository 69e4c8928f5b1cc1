"""Which process wrote something, and whether it is still there."""

import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Process:
    """A process, known again after its number was given to another one.

    Attributes
    ----------
    host, boot : machine, and what tells one start of it from the next (empty where the system has no such thing)
    pid, start : number, and when it began in ticks since the machine's start (0 where unknown)
    """

    host: str
    boot: str
    pid: int
    start: int

    @classmethod
    def of(cls, pid: int | None = None) -> Self:
        """This process, or the one of this number on this machine."""
        number = os.getpid() if pid is None else pid
        return cls(socket.gethostname(), _boot(), number, _start(number))

    @classmethod
    def read(cls, content: Any) -> Self | None:
        """From what :meth:`content` gave; None where it is something else."""
        try:
            return cls(str(content["host"]), str(content["boot"]), int(content["pid"]), int(content["start"]))
        except (KeyError, TypeError, ValueError):
            return None

    def content(self) -> dict[str, Any]:
        """What JSON can hold of it."""
        return asdict(self)

    @property
    def is_here(self) -> bool:
        """Whether it belongs to this machine."""
        return self.host == socket.gethostname()

    @property
    def is_alive(self) -> bool:
        """Whether it is at work; of a process of another machine nobody here can tell, and it counts as alive."""
        if not self.is_here:
            return True
        if self.boot != _boot():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return self.start == _start(self.pid)


def _boot() -> str:
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _start(pid: int) -> int:
    """Field 22 of /proc/<pid>/stat; the name in field 2 may hold spaces and brackets. A zombie has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return -1 if fields[0] in "ZX" else int(fields[19])
