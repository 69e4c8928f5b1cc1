from mtlbio.calibration.planted import (  # noqa: F401
    COVARIATES,
    TASKS,
    Planted,
    plant,
    results_of,
    trial_of,
)
from mtlbio.calibration.planted import GivenAxes as FakeEnsemble  # noqa: F401
