"""What leaves a site is what the schema lists, and no row can be found in it."""

import json

import numpy as np
import pytest

from mtlbio.errors import InputError
from mtlbio.federation.fixed_point import decode
from mtlbio.federation.rehearsal import federate
from mtlbio.federation.site import Site
from mtlbio.federation.wire import SUMS, Message, read_message, read_update, shape_of, write_message, write_update
from tests.federation.planted_sites import pooled, sites, study_of


def exchanged(folder, **changed):
    """Every update of alpha as a file, with the state that it answers."""
    rows, site = pooled()
    parts, out = sites(rows, site, flips=7, trunk="pca", **changed), []

    def watch(update, state):
        if update.header["site"] == "alpha":
            out.append((folder / f"{len(out)}.npz", state))
            write_update(update, *out[-1][::-1])

    federate(parts, watch)
    return parts[0], out


def test_files_hold_what_is_listed_and_nothing_else(tmp_path):
    site, files = exchanged(tmp_path)
    seen, donors = set(), site.donors.tolist()
    for path, state in files:
        with np.load(path, allow_pickle=False) as stored:
            names = set(stored.files) - {"header"}
            header = json.loads(bytes(stored["header"]))
            for name in names:
                assert stored[name].dtype == np.uint64 and stored[name].shape == (*shape_of(name, state), 2)
        seen |= {name.partition(".")[0] for name in names}
        assert names == (set(state.header["asks"]) if state else set())
        text = json.dumps(header)
        assert not [donor for donor in donors if donor in text]
        assert set(header) <= {
            "format", "study", "fingerprint", "site", "number", "attempt", "options", "columns", "least", "public",
        }  # fmt: skip
    assert seen == set(SUMS) - {"private"}  # which is all that leaves where there is noise (test_privacy.py)


def numbers_of(files, masked):
    """All numbers that left alpha."""
    for path, _ in files:
        for words in read_message(path, "").arrays.values():
            yield (words if masked else decode(words)).ravel()


@pytest.mark.parametrize("masks", [True, False])
def test_no_value_of_a_donor_is_among_the_numbers(tmp_path, masks):
    site, files = exchanged(tmp_path, masks=masks)
    state = files[-1][1]
    continuous = site.x[:, :-1]
    own = np.concatenate([
        continuous[~np.isnan(continuous)], site.latents(state).ravel(), site.standardised(state)[:, :-1].ravel(),
    ])  # fmt: skip
    own = own[np.abs(own) > 1e-6]
    if masks:
        own = np.concatenate([own.view(np.uint64), np.abs(own * 2.0**40).astype(np.uint64)])
    sent = np.concatenate(list(numbers_of(files, masks)))
    assert len(sent) > 1000 and len(own) > 300
    sent = np.sort(sent)
    place = np.clip(np.searchsorted(sent, own), 1, len(sent) - 1)
    if masks:
        assert not np.isin(own, sent).any()
    else:
        near = np.minimum(np.abs(sent[place] - own), np.abs(sent[place - 1] - own)) / np.abs(own)
        assert near.min() > 1e-9


def test_without_a_floor_a_row_would_be_found():
    """The sum of a site of one donor is its row: the search above is able to find one."""
    rows, site = pooled()
    states = []
    federate(sites(rows, site), lambda update, state: states.append(state))
    lone = rows.of(np.flatnonzero(site == "alpha")[:1])
    one = Site("alpha", lone, study_of(rows, floor=1, rare=1), b"key")
    sums = one.sums(next(state for state in states if state))
    np.testing.assert_array_equal(sums["sum"], np.nan_to_num(lone.x[0]))


def test_masked_numbers_look_like_drawn_ones_and_hide_the_sum(tmp_path):
    site, files = exchanged(tmp_path)
    path, state = next((path, state) for path, state in files if state and "gram" in state.header["asks"])
    words = read_update(path, state).arrays["gram"]
    bits = np.unpackbits(words.view(np.uint8))
    assert abs(bits.mean() - 0.5) < 5 * 0.5 / np.sqrt(len(bits))
    plain = site.sums(state)["gram"]
    assert np.abs(np.log10(np.abs(decode(words))) - np.log10(np.abs(plain))).min() > 5


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda m: m.arrays.update(rows=np.zeros((3, 2), np.uint64)), "'rows' is not what this round asks for"),
        (lambda m: m.arrays.pop("sum"), "'sum' is not what this round asks for, or is missing; valid: present, sum"),
        (lambda m: m.arrays.update(sum=np.zeros((9, 2), np.uint64)), r"sum: uint64 of shape \(9, 2\); expected uint64"),
        (
            lambda m: m.arrays.update(sum=np.zeros((6, 2))),
            r"sum: float64 of shape \(6, 2\); expected uint64 of \(6, 2\)",
        ),
        (lambda m: m.header.update(donors=["d001"]), "header of attempt, donors, fingerprint"),
    ],
)
def test_anything_else_is_not_written(tmp_path, change, line):
    rows, site = pooled()
    states = []
    parts = sites(rows, site)
    federate(parts, lambda update, state: states.append(state))
    state = next(state for state in states if state)
    update = parts[0].update(state)
    change(update)
    with pytest.raises(InputError, match=line):
        write_update(update, state, tmp_path / "update.npz")
    assert list(tmp_path.iterdir()) == []


def test_pickles_and_what_is_no_message_are_refused(tmp_path):
    path = tmp_path / "bad.npz"
    np.savez(path, header=np.array([{"a": 1}], dtype=object))
    for content in (None, b"no file of numpy"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match="bad.npz: cannot be read; expected an update"):
            read_update(path, None)
    write_message(Message({"format": 9, "site": "a"}, {}), path)
    with pytest.raises(InputError, match="of round None, but there is no state yet; expected updates that join"):
        read_update(path, None)
