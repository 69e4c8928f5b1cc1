"""``mtlbio.MultiTask``: the multi-task model as an estimator of scikit-learn."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from mtlbio.cohort.cohort import read_cohort
from mtlbio.errors import InputError, listing
from mtlbio.notebook.labelled import frame_of_labels, own_values, tasks_of_labels
from mtlbio.notebook.predict import predict
from mtlbio.notebook.stored import Stored, files_in
from mtlbio.notebook.train import run_of, take_steps

DONOR = "donor_id"


class MultiTask(BaseEstimator):
    """One network for several labels of which any may be missing, with ``fit`` and ``predict``.

    It is trained as ``mtlbio.train`` does, and predicts with the same final model; nothing is put on trial.

    Parameters
    ----------
    tasks : ``{"disease": "SLE"}`` (column of y: positive label), or what a YAML takes; where left out every column of y
        is a task: of two values binary (the last in their order is positive), of more numbers regression, of more
        texts multiclass
    scale : of the measurements: log, log2, z, beta, percent, linear or counts
    training, splits, qc : sections of a YAML as dictionaries, such as ``training={"seeds": 3}``

    Attributes
    ----------
    tasks_ : the labels by name; ``tasks_["disease"].classes``
    feature_names_in_ : (p,) names of the genes
    n_features_in_ : p

    Notes
    -----
    ``predict`` of the training samples flatters: to know how good a model is, split by donor
    (``sklearn.model_selection.GroupKFold``), or take ``metrics`` of ``mtlbio.train``.

    Examples
    --------
    >>> import pandas as pd, mtlbio as mb
    >>> X = pd.read_parquet("planted/expression.parquet")
    >>> y = pd.read_csv("planted/metadata.csv", index_col="sample_id").loc[X.index, ["disease", "age", "response"]]
    >>> small = {"genes": 100, "axes": 4, "curves": 40, "block": 2, "seeds": 1, "epochs": 10}
    >>> model = mb.MultiTask(scale="log2", training=small, splits={"folds": 2}).fit(X[:40], y[:40])
    >>> found = model.predict(X[40:])
    >>> found.columns.tolist(), sorted(model.tasks_["response"].classes)
    (['disease', 'age', 'response'], ['non_responder', 'responder'])
    """

    def __init__(
        self,
        tasks: Mapping[str, Any] | None = None,
        *,
        scale: str = "log",
        training: Mapping[str, Any] | None = None,
        splits: Mapping[str, Any] | None = None,
        qc: Mapping[str, Any] | None = None,
    ):
        self.tasks = tasks
        self.scale = scale
        self.training = training
        self.splits = splits
        self.qc = qc

    def fit(self, X, y, groups=None) -> "MultiTask":
        """Train on samples x genes.

        Parameters
        ----------
        X : DataFrame or array (n, p), on the scale that ``scale`` names, without gaps
        y : DataFrame or array (n, tasks), or (n,): numbers or text; missing labels are NaN or None
        groups : (n,) donors, which are never split over folds and weigh the same; every sample its own where left out

        Returns
        -------
        MultiTask
            The estimator itself.

        Raises
        ------
        InputError
            What does not fit, in one line, as of ``mtlbio prepare``.
        """
        table, names = _samples(X, "train")
        labels = frame_of_labels(y, table.index).set_axis(names, axis=0)
        tasks = tasks_of_labels(labels, self.tasks)
        if DONOR in labels:
            raise InputError(f"y: column {DONOR!r} would be taken for the donors; give it another name, and use groups")
        donors = names if groups is None else np.asarray(groups)
        if donors.shape != (len(table),):
            raise InputError(f"groups: found {len(donors)} donors; expected one per row of X, {len(table)}")
        adata = ad.AnnData(table.to_numpy(), obs=labels.assign(**{DONOR: donors}))
        adata.var_names = list(table.columns)
        sections = {key: getattr(self, key) for key in ("training", "splits", "qc") if getattr(self, key) is not None}
        run = run_of(adata, "estimator", DONOR, tasks, None, self.scale, None, None, None, (), False, sections)
        with tempfile.TemporaryDirectory(prefix="mtlbio_") as temporary:
            take_steps(run, adata, Path(temporary), ("train",))
            self.tasks_ = read_cohort(Path(temporary) / "cohort.h5ad").tasks
            self.model_ = Stored(run, files_in(Path(temporary)))
        self.values_ = {name: own_values(labels[run.task_column(name)]) for name in self.tasks_}
        self.feature_names_in_ = np.asarray(table.columns, dtype=object)
        self.n_features_in_ = len(table.columns)
        return self

    def predict(self, X) -> pd.DataFrame:
        """Predict every task.

        Parameters
        ----------
        X : DataFrame (n, genes), matched to the training by name, or array (n, p) with the genes in their order

        Returns
        -------
        DataFrame
            (n, tasks): the most likely class in the values of ``y``, or the value in the task's units, or the log
            hazard; NaN for samples without measured genes.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        InputError
            Another number of genes, another scale, too few of the model's genes.
        """
        found, index = self._predicted(X)
        return pd.DataFrame({name: self._own(name, of_task) for name, of_task in found.items()}, index=index)

    def predict_proba(self, X) -> dict[str, pd.DataFrame]:
        """Probabilities of the classes, per task that has classes; arguments and errors as of :meth:`predict`.

        Returns
        -------
        dict
            Task -> DataFrame (n, classes), columns in the values of ``y``.
        """
        found, index = self._predicted(X)
        with_classes = {name: of_task for name, of_task in found.items() if self.tasks_[name].classes}
        return {name: self._probabilities(name, table).set_axis(index) for name, table in with_classes.items()}

    def _predicted(self, X) -> tuple[dict[str, pd.DataFrame], pd.Index]:
        """Per task the predictions (n, classes or 1), text of a class -> probability, and the names of the samples."""
        check_is_fitted(self, "model_")
        genes = self.feature_names_in_
        table, names = _samples(X, "new", None if hasattr(X, "columns") else list(genes))
        rows = predict(self.model_, table.set_axis(names, axis=0))
        found = {}
        for name, info in self.tasks_.items():
            own = rows[rows["task"] == name]
            if own["label"].nunique() > 1 or not info.classes:
                several = own.assign(label=own["label"].fillna(""))
                wide = several.pivot(index="sample", columns="label", values="y_pred").loc[names]
                found[name] = wide[["" if label is None else label for label in info.row_labels]]
            else:
                positive = own.set_index("sample")["y_pred"].loc[names]
                found[name] = pd.DataFrame({info.classes[0]: 1 - positive, info.classes[1]: positive})
        return found, table.index

    def _own(self, name: str, of_task: pd.DataFrame) -> np.ndarray:
        """(n,) predictions in the values of ``y``."""
        if not self.tasks_[name].classes:
            return of_task.to_numpy(dtype=float)[:, 0]
        chances = of_task.to_numpy(dtype=float)
        values = np.array([self.values_[name].get(text, text) for text in of_task.columns], dtype=object)
        unknown = np.isnan(chances).any(axis=1)
        best = values[np.nan_to_num(chances).argmax(axis=1)]
        return pd.Series(np.where(unknown, np.nan, best)).infer_objects().to_numpy()

    def _probabilities(self, name: str, of_task: pd.DataFrame) -> pd.DataFrame:
        own = self.values_[name]
        return of_task.set_axis([own.get(text, text) for text in of_task.columns], axis=1)


def _samples(X, named: str, genes: list | None = None) -> tuple[pd.DataFrame, np.ndarray]:
    """``X`` as numbers with names of its genes, and a name for every sample: its own where they differ.

    ``genes``: names of the columns of an array.
    """
    if not isinstance(X, pd.DataFrame):
        try:
            values = np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=float)
        except (TypeError, ValueError):
            raise InputError("X: holds text; expected numbers, samples in rows and genes in columns") from None
        if values.ndim != 2:
            raise InputError(f"X: found an array of {values.ndim} dimensions; expected (samples, genes)")
        genes = [f"x{i + 1}" for i in range(values.shape[1])] if genes is None else genes
        if len(genes) != values.shape[1]:
            raise InputError(f"X: found {values.shape[1]} columns; expected the {len(genes)} of the training")
        X = pd.DataFrame(values, columns=genes)
    text = [name for name in X.columns if not pd.api.types.is_numeric_dtype(X[name])]
    if text:
        raise InputError(f"X: column(s) {listing(map(repr, text), 3)} hold text; expected numbers")
    table = X.set_axis([str(name) for name in X.columns], axis=1)
    own = pd.Index(table.index.astype(str))
    numbers = isinstance(table.index, pd.RangeIndex) or not own.is_unique
    return table, np.array([f"{named}{i}" for i in range(len(table))] if numbers else own, dtype=object)
