"""The deep trunk: a residual network in mini-batches, whose outputs are one more predictor that tasks may take from.

:mod:`trunk` is the network, :mod:`steps` its steps with a balancer, :mod:`network` one network from start to its best
epochs, :mod:`choice` what it reads and its shape, :mod:`fit` all folds, arms and seeds, :mod:`fits` what comes of it.
"""
