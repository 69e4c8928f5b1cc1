"""Which process wrote something, and whether it is still there."""

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from mtlbio.files import replacing

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Process:
    """A process, known again after its number was given to another one.

    Attributes
    ----------
    host, boot : machine, and what tells one start of it from the next (empty where the system has no such thing)
    pid, start : number, and when it began in ticks since the machine's start (0 where unknown)
    space : name of the space in which the number holds; a container has one of its own
    """

    host: str
    boot: str
    pid: int
    start: int
    space: str = ""

    @classmethod
    def of(cls, pid: int | None = None) -> Self:
        """This process, or the one of this number on this machine."""
        number = os.getpid() if pid is None else pid
        return cls(socket.gethostname(), _boot(), number, _start(number), _space())

    @classmethod
    def read(cls, content: Any) -> Self | None:
        """From what :meth:`content` gave; None where it is something else."""
        try:
            text = [content["host"], content["boot"], content.get("space", "")]
            pid, start = content["pid"], content["start"]
        except (KeyError, TypeError, AttributeError):
            return None
        numbers = all(type(number) is int and abs(number) < 2**62 for number in (pid, start))
        if not numbers or not 0 < pid < 2**31 or not all(isinstance(word, str) for word in text):
            return None
        return cls(text[0], text[1], pid, start, text[2])

    @classmethod
    def kept_in(cls, path: Path) -> Self | None:
        """The process that :meth:`keep` wrote into a file; None where there is none, or something else."""
        try:
            return cls.read(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError):
            return None

    def keep(self, path: Path) -> None:
        """Write it into a file."""
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(self.content()) + "\n", encoding="utf-8")

    def content(self) -> dict[str, Any]:
        """What JSON can hold of it."""
        return asdict(self)

    @property
    def is_here(self) -> bool:
        """Whether its number can be asked for from here: on this machine, outside of any other container."""
        return self.host == socket.gethostname() and self.space in ("", _space())

    @property
    def is_alive(self) -> bool:
        """Whether it is at work; of one of another machine or container nobody here can tell: it counts as alive."""
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


def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


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
