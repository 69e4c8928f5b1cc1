"""One encoder, a vector h_t per residue, and linear heads that read it."""

import torch
from torch import nn

from mtlbio.labels.residues import ResidueLabel
from mtlbio.model.encoders.base import ChainDropout, Shape
from mtlbio.model.encoders.make import make_encoder
from mtlbio.sequence.features import letter_table
from mtlbio.sequence.letters import UNKNOWN


class ResidueNetwork(nn.Module):
    """Letters (and further numbers) of chains -> h_t -> a few numbers per task.

    The heads are linear, so that what a head reads is a direction of h_t and an invertible map of h_t changes nothing.

    Parameters
    ----------
    tasks : what is predicted; one head each
    encoder, shape : of :mod:`mtlbio.model.encoders`
    latent : width of h_t
    letters : how amino acids are written, see :func:`mtlbio.sequence.features.letter_table`
    wide : further numbers per residue
    masked : whether there is an auxiliary head that tells a masked residue's letter
    """

    table: torch.Tensor
    wide_mean: torch.Tensor
    wide_scale: torch.Tensor

    def __init__(
        self,
        tasks: dict[str, ResidueLabel],
        encoder: str,
        shape: Shape,
        latent: int,
        letters: str = "one_hot",
        wide: int = 0,
        masked: bool = False,
    ):
        super().__init__()
        table = torch.from_numpy(letter_table(letters))
        self.register_buffer("table", table, persistent=False)
        # profiles come in units of their own: standardised by the training residues
        self.register_buffer("wide_mean", torch.zeros(wide))
        self.register_buffer("wide_scale", torch.ones(wide))
        self.encoder = make_encoder(encoder, table.shape[1] + wide, shape)
        self.to_latent = nn.Linear(self.encoder.out, latent)
        self.heads = nn.ModuleDict({name: nn.Linear(latent, task.outputs) for name, task in tasks.items()})
        self.letter_head = nn.Linear(latent, UNKNOWN) if masked else None
        self.dropout = ChainDropout(shape.dropout)

    def latents(self, letters: torch.Tensor, mask: torch.Tensor, wide: torch.Tensor | None = None) -> torch.Tensor:
        """h_t (batch, length, latent) of letter codes (batch, length); zero at the padding."""
        x = self.table[letters]
        if wide is not None:
            x = torch.cat([x, (wide - self.wide_mean) / self.wide_scale], dim=-1)
        x = x * mask[..., None]
        return self.to_latent(self.dropout(self.encoder(x, mask))) * mask[..., None]

    def outputs(self, latents: torch.Tensor) -> dict[str, torch.Tensor]:
        """Raw numbers of every head, task -> (..., outputs)."""
        return {name: head(latents) for name, head in self.heads.items()}

    def shared(self) -> list[nn.Parameter]:
        """Parameters that all tasks share."""
        return [*self.encoder.parameters(), *self.to_latent.parameters()]
