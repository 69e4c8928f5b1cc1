"""Segment overlap: how well the segments of helix, strand and coil are found, not only their residues.

SOV'99 (Zemla et al. 1999, Proteins 34:220). For every state and every pair of an observed segment s1 and a predicted
segment s2 of that state that overlap, ``(minov + delta) / maxov * len(s1)`` with ``minov`` their common residues,
``maxov`` those of either, and ``delta = min(maxov - minov, minov, len(s1) // 2, len(s2) // 2)``; divided by the summed
``len(s1)`` over these pairs and over observed segments without a partner.
"""

import numpy as np


def segments(states: np.ndarray, labelled: np.ndarray) -> list[tuple[int, int, int]]:
    """(state, start, end) of every run of one state; residues that are not labelled end a run.

    Examples
    --------
    >>> segments(np.array([0, 0, 1, 1, 1]), np.array([True, True, True, False, True]))
    [(0, 0, 2), (1, 2, 3), (1, 4, 5)]
    """
    coded = np.where(labelled, states.astype(int), -1)
    if not len(coded):
        return []
    starts = np.flatnonzero(np.append(True, coded[1:] != coded[:-1]))
    ends = np.append(starts[1:], len(coded))
    return [(int(coded[a]), int(a), int(b)) for a, b in zip(starts, ends, strict=True) if coded[a] >= 0]


def overlap_sums(observed: np.ndarray, predicted: np.ndarray, labelled: np.ndarray) -> tuple[float, float]:
    """Numerator and denominator of SOV'99 of a chain, so that chains can be pooled: SOV = sum / sum.

    ``observed`` and ``predicted`` (length,) are codes of the states; residues that are not ``labelled`` (length,) take
    part in no segment.
    """
    second = segments(predicted, labelled)
    gained = total = 0.0
    for state, start, end in segments(observed, labelled):
        length = end - start
        partners = [(begin, stop) for other, begin, stop in second if other == state and begin < end and stop > start]
        for begin, stop in partners:
            common, either = min(end, stop) - max(start, begin), max(end, stop) - min(start, begin)
            delta = min(either - common, common, length // 2, (stop - begin) // 2)
            gained += (common + delta) / either * length
        total += length * max(len(partners), 1)
    return gained, total
