"""Metrics of predictions, for one set of sample weights or for thousands at once.

Every metric is a pure function ``f(y, pred, weights=None)``. ``weights`` is None (all equal), (n,) or (draws, n); the
answer is a float, or (draws,) for a stack of weights: the donor bootstrap is nothing else. Values agree with
scikit-learn's functions of the same name, ties and weights included. Where a metric is not defined (a class without
weight, a constant truth) the answer is NaN, never an exception. Which metrics belong to a label, and which of them
decides, is known to its kind (:mod:`mtlbio.labels`).
"""

from mtlbio.metrics.metric import METRICS, Metric, metric_named, register

__all__ = ["METRICS", "Metric", "metric_named", "register"]
