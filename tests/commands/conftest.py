"""What the tests of commands share."""

import sys
from collections.abc import Callable

import pytest

from mtlbio import cli


@pytest.fixture
def called(monkeypatch, capsys) -> Callable[..., tuple[int, str]]:
    """A function that calls ``mtlbio`` with these words; gives the exit status and all that was printed."""

    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["mtlbio", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out + err

    return call
