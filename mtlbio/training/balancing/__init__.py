"""How much each task weighs in a step: weights from losses, or from the Gramian of the tasks' gradients.

:mod:`names` lists the methods without torch, :mod:`registry` makes one of them, :mod:`step` is what it may look at,
:mod:`base` is what they share; then one method per file. Methods that TorchJD has as a deterministic function of the
Gramian are all in :mod:`through_torchjd`.
"""
