"""A time to an event, for some cut short by the end of what is known of them: a Cox model as the head of a network.

``records.py`` holds what was seen of whom, ``reading.py`` how it is read from metadata, ``likelihood.py`` the loss,
``baseline.py`` what turns a log hazard into an absolute risk, ``label.py`` the kind of label.
"""

from mtlbio.labels.survival.label import Survival

__all__ = ["Survival"]
