"""Whole numbers of 128 bits hold sums exactly, and masks cancel to the last bit."""

from fractions import Fraction
from functools import reduce

import numpy as np
import pytest

from mtlbio.errors import InputError
from mtlbio.federation.fixed_point import add, decode, encode, negative
from mtlbio.federation.keys import (
    PRIME,
    fingerprint,
    mask,
    public_key,
    read_key,
    rehearsal_key,
    shared_secret,
    stream,
)

rng = np.random.default_rng(0)


def whole(words):
    """A number as Python holds it, in parts of 2^-64."""
    value = (int(words[0]) << 64) + int(words[1])
    return value - (1 << 128) if value >> 127 else value


def test_numbers_come_back():
    values = np.concatenate([rng.normal(size=200) * 10.0 ** rng.integers(-3, 17, 200), [0.0, -1.0, 2.0**-64, -0.5]])
    np.testing.assert_allclose(decode(encode(values)), values, rtol=0, atol=2.0**-64)
    large = values[np.abs(values) > 1]
    np.testing.assert_array_equal(decode(encode(large)), large)


def test_sums_are_exact():
    values = rng.normal(size=(50, 3)) * 1e6
    total = reduce(add, encode(values))
    for j in range(3):
        exact = sum((Fraction(whole(word)) for word in encode(values[:, j])), Fraction(0))
        assert whole(total[j]) == exact
        assert abs(Fraction(whole(total[j]), 2**64) - sum(map(Fraction, values[:, j]))) < Fraction(50, 2**64)


def test_the_negative_cancels():
    words = encode(np.append(rng.normal(size=20), 0.0))
    np.testing.assert_array_equal(add(words, negative(words)), np.zeros_like(words))


@pytest.mark.parametrize("value", [np.nan, np.inf, 2.0**62, -(2.0**63)])
def test_what_does_not_fit_is_refused(value):
    with pytest.raises(ValueError, match="a sum is missing or 4.61169e\\+18 or more"):
        encode(np.array([1.0, value]))


def test_masks_cancel_to_the_last_bit():
    keys = {name: rehearsal_key("s", name, 1) for name in "abcde"}
    publics = {name: public_key(key) for name, key in keys.items()}
    masks = [mask(name, key, publics, "s|3|0|gram", (4, 2)) for name, key in keys.items()]
    assert all(len(np.unique(m)) == m.size for m in masks)
    np.testing.assert_array_equal(reduce(add, masks), np.zeros((4, 2, 2), dtype=np.uint64))
    values = encode(rng.normal(size=(5, 4, 2)))
    np.testing.assert_array_equal(
        reduce(add, [add(v, m) for v, m in zip(values, masks, strict=True)]), reduce(add, values)
    )
    assert reduce(add, masks[:4]).any()  # without one of them nothing is told


def test_no_stream_is_used_twice():
    keys = {name: rehearsal_key("s", name, 1) for name in "ab"}
    publics = {name: public_key(key) for name, key in keys.items()}
    drawn = [mask("a", keys["a"], publics, context, (3,)) for context in ("s|1|0|sum", "s|2|0|sum", "s|1|1|sum")]
    assert len(np.unique(drawn)) == 18
    np.testing.assert_array_equal(mask("a", keys["a"], publics, "s|1|0|sum", (3,)), drawn[0])
    assert abs(np.unpackbits(stream(b"x", "y", (5000,)).view(np.uint8)).mean() - 0.5) < 0.002


def test_the_group_is_that_of_a_safe_prime():
    assert PRIME.bit_length() == 2048
    assert all(pow(base, n - 1, n) == 1 for n in (PRIME, (PRIME - 1) // 2) for base in (2, 3, 5, 7))


def test_two_sites_have_one_secret():
    a, b = rehearsal_key("s", "a", 0), rehearsal_key("s", "b", 0)
    assert shared_secret(a, public_key(b)) == shared_secret(b, public_key(a))
    assert len(fingerprint(public_key(a))) == 8 and fingerprint(public_key(a)) != fingerprint(public_key(b))
    with pytest.raises(InputError, match="^state: the public key of a site is none; let that site join again$"):
        shared_secret(a, "1")


def test_a_private_key_is_made_once_and_for_its_owner(tmp_path):
    path = tmp_path / "site.key"
    key = read_key(path)
    assert len(key) == 32 and read_key(path) == key and path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"short")
    with pytest.raises(InputError, match="site.key: 5 bytes; expected the 32 of a site's private key$"):
        read_key(path)
