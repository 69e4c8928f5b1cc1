"""How much each task weighs in a step: weights from losses, or from the Gramian of the tasks' gradients.

:mod:`mtlbio.choices.balancers` lists the methods, :mod:`registry` makes one of them, :mod:`step` is what it may look
at, :mod:`base` is what they share; then one method per file, which bears its name. :mod:`simplex` solves the programmes
of MGDA and CAGrad, :mod:`dual_cone` those of UPGrad. TorchJD knows neither absent tasks nor many networks at once; it
is what tests hold these methods against.
"""
