"""``mtlbio site-update``, ``merge-updates``, ``site-predict``: a study of several sites by files that they exchange."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.federation.heads import PRIVATE, SHARED, predictions_of
from mtlbio.federation.keys import fingerprint, public_key, read_key
from mtlbio.federation.merge import DONE, joined, merged, without
from mtlbio.federation.rows import read_rows
from mtlbio.federation.site import Site
from mtlbio.federation.study import agreed
from mtlbio.federation.wire import Message, numbers_in, read_state, read_update, write_message, write_update
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import DonorRun
from mtlbio.tables import PREDICTIONS, write_table

SLOPES = ["task", "column", "slope"]


def site_update(path: Path, state: Path | None, out: Path) -> list[str]:
    """Write what a site sends in this round; gives what it did in sentences.

    Without a state the site joins. Its private key lies beside the YAML, ``<study>.<name>.key``, and is made when it
    joins.
    """
    run, name = _described(path)
    if state is not None and state.resolve() == out.resolve():
        raise InputError(f"--out: found {out}, which is the state too; expected another file")
    before = None if state is None else read_state(state)
    site = _site(run, path, name, before, state)
    if before is not None and before.header["stage"] == DONE:
        raise InputError(f"{state}: the study is done; `mtlbio site-predict` is next")
    update = site.join() if before is None else site.update(before)
    write_update(update, before, out)
    said = []
    if site.changed and before is None:
        said.append(
            f"{len(site.changed)} columns hold values of fewer than {site.options['rare']} donors, which are made the "
            f"column's commonest: {listing(site.changed)}"
        )
    if before is None:
        said.append(f"{name} joins {site.options['study']} with key {fingerprint(update.header['public'])}: {out}")
        return said
    hidden = "masked" if site.options["masks"] else "NOT masked"
    what = f"{numbers_in(before):,} numbers ({listing(before.header['asks'], 4)}), {hidden}"
    return [*said, f"round {before.header['number']} ({before.header['stage']}): {what}: {out}"]


def merge_updates(updates: Sequence[Path], out: Path, gone: Sequence[str] = ()) -> str:
    """Write the next state over the last one; gives what is to be done next in a sentence."""
    state = read_state(out) if out.exists() else None
    if gone:
        if state is None or updates:
            raise InputError("--without: found without a state, or with updates; expected --out STATE.npz alone")
        new = without(state, gone)
        said = f"begins again without {listing(gone)}, as attempt {new.header['attempt'] + 1}; "
    else:
        if not updates:
            raise InputError("merge-updates: no update is given; expected one of each site")
        found = [read_update(path, state) for path in updates]
        new, said = (joined(found) if state is None else merged(found, state)), ""
    write_message(new, out)
    header = new.header
    if header["stage"] == DONE:
        return f"{header['study']} is done: every site can call `mtlbio site-predict` with {out}"
    keys = ", ".join(f"{site} {fingerprint(public)}" for site, public in header["publics"].items())
    keys = f"; keys, to be compared by telephone: {keys}" if header["number"] == 1 else ""
    sites = listing(header["sites"])
    return f"{said}round {header['number']} ({header['stage']}) asks {sites} for {numbers_in(new):,} numbers each{keys}"


def site_predict(path: Path, state: Path, out: Path) -> list[str]:
    """Write ``predictions.tsv``, ``slopes.tsv`` and, with tests, ``association.tsv`` of a study that is done.

    Donors of an inner fold are predicted by heads that have not seen them; ``fold`` is ``seen`` of donors of a site
    that was not split, and ``new`` of those without a label.
    """
    run, name = _described(path)
    last = read_state(state)
    if last.header["stage"] != DONE:
        raise InputError(
            f"{state}: in round {last.header['number']} ({last.header['stage']}); expected a study that is done"
        )
    site = _site(run, path, name, last, state)
    tables = [_predictions(site, last, task, arm) for task in site.labelled for arm in (SHARED, PRIVATE)]
    write_table(pd.concat(tables, ignore_index=True), out / "predictions.tsv", PREDICTIONS)
    write_table(_slopes(last), out / "slopes.tsv", SLOPES)
    if "test_columns" in last.header:
        write_table(_association(last), out / "association.tsv", ["task", "axis", *last.header["test_columns"]])
    told = [f"{task}: penalty {its['penalty']:g}" for task, its in last.header["tasks"].items()]
    return [*told, str(out)]


def _described(path: Path) -> tuple[DonorRun, str]:
    run = read_run(path)
    options = getattr(run, "federation", None)
    if options is None or options.name is None:
        raise InputError(f"{path}: federation.name: missing; expected the name of this site")
    return cast(DonorRun, run), options.name


def _site(run: DonorRun, path: Path, name: str, state: Message | None, where: Path | None) -> Site:
    """The site; an InputError where the state is of another study, or does not know it."""
    rows = read_rows(run)
    options = agreed(run, rows)
    place = path.parent / f"{options['study']}.{name}.key"
    if state is not None:
        theirs = state.header.get("options")
        if not isinstance(theirs, dict) or theirs.get("study") != options["study"]:
            raise InputError(f"{where}: of another study; expected {options['study']!r}")
        differ = sorted(key for key in options if options[key] != theirs.get(key))
        if differ:
            raise InputError(f"{path}: federation: differs from the study's {listing(differ)}; valid: as all sites")
        if name not in state.header["sites"]:
            raise InputError(f"{where}: without {name}; valid: {listing(state.header['sites'])}")
        if not place.exists() or public_key(read_key(place)) != state.header["publics"][name]:
            raise InputError(f"{place}: not the key that {name} joined with; without it the study has to begin anew")
    return Site(name, rows, options, read_key(place))


def _predictions(site: Site, state: Message, task: str, arm: str) -> pd.DataFrame:
    predicted, fold = predictions_of(site, state, task, arm)
    label, y = site.whole.labels[task], site.whole.y(task)
    times = label.follow_up(y)
    truth = y if times is None else np.where(np.isnan(y), np.nan, times[0])
    names = np.where(fold == -2, "new", np.where(fold == -1, "seen", (fold + 1).astype(str)))
    columns = {"sample": site.whole.obs.index.astype(str), "donor": site.donors, "fold": names, "seed": "0", "arm": arm}
    columns |= {"task": task, "label": label.row_labels[0], "y_true": truth, "y_pred": predicted}
    return pd.DataFrame(columns).astype({"label": object})


def _slopes(state: Message) -> pd.DataFrame:
    """Slopes of the shared heads per standard deviation of a column."""
    kept = [name for name, stays in zip(state.header["columns"], state.arrays["kept"], strict=True) if stays]
    axes = state.header["dims"]["axes"]
    tables = []
    for task in state.header["tasks"]:
        slopes = state.arrays["trunk"] @ state.arrays[f"slopes.{task}"][0, -axes:]
        tables.append(pd.DataFrame({"task": task, "column": kept, "slope": slopes}))
    return pd.concat(tables, ignore_index=True)


def _association(state: Message) -> pd.DataFrame:
    tables = []
    for task in [task for task in state.header["tasks"] if f"tests.{task}" in state.arrays]:
        values = state.arrays[f"tests.{task}"]
        table = pd.DataFrame(values, columns=state.header["test_columns"])
        table.insert(0, "axis", [f"z{i + 1:02d}" for i in range(len(values))])
        table.insert(0, "task", task)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
