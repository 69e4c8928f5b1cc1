"""Free maps: a column of weights of its own for every output, tied by nothing but a penalty on all of them."""

import torch

from mtlbio.model.sharing.scheme import Maps, Parameters, Sharing


class Free(Sharing):
    """``linear = W`` (r, columns). Every column belongs to one task: no gradient of one task reaches another's
    parameters, so balancers that compare gradients are an error here, as in :mod:`soft` sharing. The width of the trunk
    is not used. A step from the start is that of hard sharing."""

    along_inputs = ("maps",)

    def start(self, n_inputs: int, generator: torch.Generator) -> Parameters:
        """Maps of zeros; nothing is random."""
        return {"maps": torch.zeros(n_inputs, self.outputs.n_columns)}

    def maps(self, parameters: Parameters) -> Maps:
        """One map per column."""
        return Maps(parameters["maps"][:, None])

    def shrink(self, parameters: Parameters, step: float, present: torch.Tensor) -> Parameters:
        """The columns of the present tasks, times a matrix that depends on their singular values only."""
        here = self.per_column(present)
        maps = torch.where(here, parameters["maps"], 0.0)
        # columns x columns, tiny beside the maps; squaring costs half the digits, and float32 has few
        squares, vectors = torch.linalg.eigh((maps.mT @ maps).double())
        shrinkage = self.shrinkage(squares.clamp_min(0), step)
        shrunk = maps @ ((vectors * shrinkage) @ vectors.mT).to(maps.dtype)
        return {"maps": torch.where(here, shrunk, parameters["maps"])}

    def shrinkage(self, squares: torch.Tensor, step: float) -> torch.Tensor:
        """What is left of each direction, 0 to 1, after a ``step`` (learning rate times strength). ``squares``
        (columns,) are the squared singular values of the maps of the present tasks; an absent column is one more 0."""
        raise NotImplementedError
