"""Clusters of homologous chains by shared words: a plain stand-in for mmseqs where the user has no column of clusters.

Two chains are linked when at least three words of five residues, and at least a share ``similarity`` of the words of
the shorter one, occur in both; letters that homologues exchange most often count as one. Linked chains form a cluster
(single linkage). Chains of 50 % identity share some 5 % of their words, unrelated ones of 300 residues next to none. It
finds close homologues, not remote ones (below about 40 % identity): where a split has to be clean of those, cluster
with mmseqs or CD-HIT and give the column as ``chains.<name>.cluster``.
"""

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from mtlbio.sequence.chains import Chains
from mtlbio.sequence.letters import UNKNOWN

# I V L M, K R, D E, S T and F Y are taken for one letter each: exchanges that homologues make most often
_MERGED = np.arange(UNKNOWN + 1, dtype=np.int64)
for _group in ((9, 19, 10, 12), (1, 11), (3, 6), (15, 16), (13, 18)):
    _MERGED[list(_group)] = _group[0]
_LEAST = 3  # words in common, however short the chains
_COMMON = 0.02  # words in more chains than this share (at least 50 chains) are repeats and say nothing


def kmer_clusters(chains: Chains, word: int = 5, similarity: float = 0.03) -> np.ndarray:
    """(chains,) cluster numbers 0 .. K-1, in the order of their first chain.

    Parameters
    ----------
    word : residues per word
    similarity : share of the shorter chain's words that link two chains
    """
    owners, words = [], []
    for i in range(len(chains)):
        codes = _MERGED[np.minimum(chains.letters[chains.rows(i)], UNKNOWN)]
        if len(codes) < word:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(codes, word)
        windows = windows[(windows != UNKNOWN).all(axis=1)]
        words.append(np.unique(windows @ (UNKNOWN + 1) ** np.arange(word)))
        owners.append(np.full(len(words[-1]), i))
    if not words:
        return np.arange(len(chains))
    owner, place = np.concatenate(owners), np.unique(np.concatenate(words), return_inverse=True)[1]
    size, counts = np.bincount(owner, minlength=len(chains)), np.bincount(place)
    usual = counts[place] <= max(50, _COMMON * len(chains))
    pairs = (owner[usual], place[usual])
    has = sparse.csr_matrix((np.ones(usual.sum(), dtype=np.int32), pairs), shape=(len(chains), len(counts)))
    shared = (has @ has.T).tocoo()
    linked = shared.data >= np.maximum(_LEAST, similarity * np.minimum(size[shared.row], size[shared.col]))
    graph = sparse.csr_matrix((linked[linked], (shared.row[linked], shared.col[linked])), shape=(len(chains),) * 2)
    component = connected_components(graph, directed=False)[1]
    return pd.factorize(component)[0]
