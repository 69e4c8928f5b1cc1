"""Secrets of pairs of sites, and the masks that are made of them.

Every site has a private key, which stays in a file of its own, and a public one, which travels. Any two sites get a
secret from the private key of one and the public key of the other (Diffie & Hellman 1976, with the group of 2048 bits
of RFC 3526), which who merges the updates does not have. What one of the two adds to its sums the other takes away.
"""

import hashlib
import os
import secrets
from functools import lru_cache
from pathlib import Path

import numpy as np

from mtlbio.errors import InputError
from mtlbio.federation.fixed_point import add, negative
from mtlbio.files import replacing

# RFC 3526, group 14: a safe prime, and its generator
PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)
GENERATOR = 2


def read_key(path: Path) -> bytes:
    """The private key (32 bytes) in a file; made, for its owner only, where there is none."""
    if path.exists():
        key = path.read_bytes()
        if len(key) != 32:
            raise InputError(f"{path}: {len(key)} bytes; expected the 32 of a site's private key")
        return key
    key = secrets.token_bytes(32)
    with replacing(path) as temporary:
        temporary.write_bytes(key)
    os.chmod(path, 0o600)
    return key


def rehearsal_key(study: str, site: str, seed: int) -> bytes:
    """A key that is no secret, for all sites in one process."""
    return hashlib.sha256(f"{study}|{site}|{seed}".encode()).digest()


@lru_cache(maxsize=1024)
def public_key(key: bytes) -> str:
    """What travels, in hexadecimal digits."""
    return f"{pow(GENERATOR, _exponent(key), PRIME):x}"


def fingerprint(public: str) -> str:
    """Eight digits that two sites can compare by telephone."""
    return hashlib.sha256(public.encode()).hexdigest()[:8]


@lru_cache(maxsize=1024)
def shared_secret(key: bytes, public: str) -> bytes:
    """The secret of two sites; the same whichever of them asks."""
    other = int(public, 16)
    if not 1 < other < PRIME - 1:
        raise InputError("state: the public key of a site is none; let that site join again")
    common = pow(other, _exponent(key), PRIME)
    return hashlib.sha256(common.to_bytes(256, "big")).digest()


def mask(site: str, key: bytes, publics: dict[str, str], context: str, shape: tuple[int, ...]) -> np.ndarray:
    """(*shape, 2) what a site adds to its sums; over all sites of ``publics`` (name -> public key) it is 0.

    ``context`` names the study, the round and the array: no stream is used twice.
    """
    total = np.zeros((*shape, 2), dtype=np.uint64)
    for other in sorted(publics):
        if other != site:
            words = stream(shared_secret(key, publics[other]), context, shape)
            total = add(total, words if site < other else negative(words))
    return total


def stream(secret: bytes, context: str, shape: tuple[int, ...]) -> np.ndarray:
    """(*shape, 2) uint64 that nobody without the secret can tell from random ones (SHAKE-256)."""
    count = 2 * int(np.prod(shape, dtype=int))
    drawn = hashlib.shake_256(secret + context.encode()).digest(8 * count)
    return np.frombuffer(drawn, dtype="<u8").astype(np.uint64).reshape(*shape, 2)


def _exponent(key: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"mtlbio federation" + key).digest(), "big")
