"""What a run's YAML holds, a pydantic model per kind of run.

A model reaches a step through the step's options only, so these modules are no reason to run a step again.
"""

from mtlbio.kinds.schemas.blocks import BlocksRun
from mtlbio.kinds.schemas.cohort import CohortRun
from mtlbio.kinds.schemas.donors import DonorRun
from mtlbio.kinds.schemas.latents import LatentsRun
from mtlbio.kinds.schemas.protein import ProteinRun
from mtlbio.kinds.schemas.run import Run
from mtlbio.kinds.schemas.table import TableRun

__all__ = ["BlocksRun", "CohortRun", "DonorRun", "LatentsRun", "ProteinRun", "Run", "TableRun"]
