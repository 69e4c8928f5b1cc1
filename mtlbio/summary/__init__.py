"""What became of many runs: ``summary.tsv`` and ``index.html`` in the folder of all results, and a table in print."""

import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from mtlbio.errors import InputError

# Stamps of files are a little behind the clock (a tick of the kernel, a file server).
_BEHIND = 2.0


class Conclusion:
    """Made when a workflow begins, so that complaints in older logs do not count; told when it ends.

    Parameters
    ----------
    results : folder of all results
    yamls : name -> YAML of the runs that are started
    """

    # `mtlbio run` tells it last of all, after what Snakemake says at its end; then the Snakefile does not.
    told_by_caller = False

    def __init__(self, results: str | Path, yamls: Mapping[str, str]):
        self.results, self.yamls, self.since = Path(results).absolute(), dict(yamls), time.time() - _BEHIND

    def errors(self, told: Iterable[str] = ()) -> list[str]:
        """Lines on what the steps of this workflow complain of: what a reader needs of a failed one.

        ``told`` has been said already, and comes first.
        """
        from mtlbio.summary.complaints import ERROR, complaints

        said = list(told)
        lines = [f"{ERROR}{c.text}" for run in self.yamls for c in complaints(self.results / run, self.since)]
        return said + [line for line in dict.fromkeys(lines) if line not in "\n".join(said)]

    def tell_of_workflow(self, succeeded: bool) -> None:
        """What the Snakefile calls at the end."""
        if not Conclusion.told_by_caller:
            self.tell(succeeded)

    def tell(self, succeeded: bool, not_started: Iterable = (), stopped: Mapping = {}) -> None:
        """Write the summary of all runs in the folder, and print that of those which were asked for.

        Where the workflow ``succeeded``, a run without a page was not to have one (``--until``). ``not_started`` are
        those that were asked for and could not be started (:class:`mtlbio.summary.rows.NotStarted`). ``stopped``: run
        -> step in which Ctrl-C stopped it. Where the folder cannot be written to, a line says so.
        """
        from mtlbio.cluster import failures
        from mtlbio.summary.rows import explain
        from mtlbio.summary.table import all_rows, in_print

        since = float("inf") if succeeded else self.since
        asked, rows = all_rows(self.results, self.yamls, list(not_started), since)
        explain(rows, failures(), stopped)
        written = self._write(rows)
        print("\n".join(["", *in_print(asked, self.results), written]), file=sys.stderr)

    def keep(self, not_started: Iterable) -> str:
        """Write the summary where no run was started; gives a line on where it is."""
        from mtlbio.summary.table import all_rows

        return self._write(all_rows(self.results, {}, list(not_started), self.since)[1])

    def _write(self, rows: list) -> str:
        from mtlbio.summary.page import write_page
        from mtlbio.summary.table import write_summary

        table, page = self.results / "summary.tsv", self.results / "index.html"
        try:
            _refuse_strangers(table, page)
            write_summary(rows, table)
            write_page(rows, page)
            return f"Summary: {table}, and as a page {page}"
        except (OSError, InputError) as error:
            return f"No summary is written: {error}"


def _refuse_strangers(table: Path, page: Path) -> None:
    """An InputError where a file stands that is no summary of mtlbio's."""
    for path, begins in ((table, "run\tstatus\tstep\t"), (page, "<!doctype html>\n<!-- mtlbio: all runs -->")):
        if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(begins):
            raise InputError(f"{path}: mtlbio did not write it; move it elsewhere")
