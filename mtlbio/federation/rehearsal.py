"""All sites in one process, through the same messages as by hand: for tests, benchmarks, and a rehearsal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mtlbio.errors import InputError
from mtlbio.federation.keys import rehearsal_key
from mtlbio.federation.merge import DONE, joined, merged
from mtlbio.federation.rows import Rows, read_rows
from mtlbio.federation.site import Site
from mtlbio.federation.study import agreed
from mtlbio.federation.wire import Message, check_update
from mtlbio.kinds.schemas import DonorRun


def sites_of(run: DonorRun, rows: Rows | None = None, chosen: np.ndarray | None = None) -> dict[str, Site]:
    """The sites of a run whose ``federation.site`` names the column with the site of a sample.

    ``rows``: of the run, where they were read before; ``chosen`` (n,) bool: the samples that take part.
    """
    options = run.federation
    if options is None or options.site is None:
        raise InputError(
            "federation.site: missing; a rehearsal needs the covariate that says which site a sample is of"
        )
    if options.site not in run.covariates:
        raise InputError(f"federation.site: found {options.site!r}; valid: a categorical covariate of the run")
    rows = read_rows(run) if rows is None else rows
    level = rows.obs[options.site].astype(object)
    some = np.ones(len(rows.x), dtype=bool) if chosen is None else chosen
    names = sorted(level[some].dropna().astype(str).unique())
    same = agreed(run, rows)
    return {
        name: Site(
            name,
            rows.of(np.flatnonzero(some & (level.astype(str) == name).to_numpy())),
            same,
            rehearsal_key(options.study, name, options.seed),
        )
        for name in names
    }


def federate(sites: Sequence[Site], watch: Callable[[Message, Message | None], None] | None = None) -> Message:
    """The last state of a study of these sites; ``watch`` sees every update with the state that it answers."""
    state: Message | None = None
    while state is None or state.header["stage"] != DONE:
        updates = [site.join() if state is None else site.update(state) for site in sites]
        for update in updates:
            check_update(update, state, update.header["site"])
            if watch is not None:
                watch(update, state)
        state = joined(updates) if state is None else merged(updates, state)
    return state
