"""How much each task weighs in a step: weights from losses, or from the Gramian of the tasks' gradients.

:mod:`names` lists the methods, :mod:`registry` makes one of them, :mod:`step` is what it may look at (these three do
without torch), :mod:`base` is what they share; then one method per file. :mod:`simplex` solves the programmes of MGDA
and CAGrad, :mod:`dual_cone` those of UPGrad. TorchJD knows neither absent tasks nor many networks at once; it is what
tests hold these methods against.
"""

from mtlbio.training.balancing.names import BALANCERS, METHODS
from mtlbio.training.balancing.registry import make_balancer, options_of
from mtlbio.training.balancing.step import Step

__all__ = ["BALANCERS", "METHODS", "Step", "make_balancer", "options_of"]
