"""mtlbio: what has a multi-task model really learned - biology, a confounder, or the batch?

The package has one room per step of the workflow, and data goes forward only::

    cohort -> model, training -> evaluation -> probing -> report

``mtlbio.config`` is the only package that knows a run's YAML, ``mtlbio.kinds`` the only one that knows which kinds of
runs there are, and ``mtlbio.tables`` the only module that knows the columns of the result tables.
"""

__version__ = "0.1.0"
