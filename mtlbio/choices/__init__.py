"""What a run's YAML may choose by name, and what its check has to know of each choice; nothing here imports torch.

:mod:`sharing`, :mod:`balancers` and :mod:`encoders` list the names with their facts, :mod:`options` is what an option
of a method may be, :mod:`multitask` says which choices go together. The code that a name stands for lies in the file of
the same name: ``mtlbio/model/sharing/``, ``mtlbio/training/balancing/``, ``mtlbio/model/encoders/``.
"""
