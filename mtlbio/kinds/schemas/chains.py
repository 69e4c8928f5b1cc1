"""The sections of a run of kind protein that differ from a cohort's.

What means the same in both kinds (intervals, the trial, the page) is the same section of :mod:`mtlbio.config`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from mtlbio.choices.balancers import BalancerName
from mtlbio.choices.encoders import ENCODERS, EncoderName
from mtlbio.choices.multitask import check_balancing
from mtlbio.config import Fraction, Section, Seed, TrialOptions
from mtlbio.config.training import Scatter


class ChainSource(Section):
    """Where chains come from: a table, a FASTA file, a structure or a folder of structures."""

    model_config = ConfigDict(str_min_length=0)  # keep: "" for rows whose column is empty

    path: str = Field(
        description="csv/tsv (.gz) or parquet with a row per chain, fasta (.gz), an mmCIF or PDB file, or a folder of "
        "them (secondary structure and accessibility are then computed: columns q8, q3, rsa)"
    )
    id: str = Field("id", description="table: column with the name of the chain")
    sequence: str = Field("sequence", description="table: column with the sequence, one letter per residue")
    source: str | None = Field(
        None, description="table: column with the data set that a chain came from; the entry's own name where left out"
    )
    cluster: str | None = Field(None, description="table: column with the cluster of homologous chains")
    split: str | None = Field(None, description="table: column whose values `splits` assigns to parts")
    part: Literal["train", "validation", "test", "external"] | None = Field(
        None, description="part of all chains of this entry, instead of a split column"
    )
    mask: str | None = Field(
        None, description="table: column with 1 per residue that was resolved, else 0; labels count where it is 1"
    )
    keep: dict[str, list[str | int]] = Field({}, description="table: only rows with one of these values, by column")


class Features(Section):
    """What the encoder sees."""

    letters: Literal["one_hot", "blosum62"] = Field("one_hot", description="how the amino acid is written")
    profiles: str | None = Field(
        None,
        description="npz with ids, offsets and arrays of (residues, columns); chains without one are told by a flag",
    )
    profile_arrays: list[str] = Field(["pssm", "hmm"], min_length=1, description="arrays of that file that are used")
    embeddings: str | None = Field(
        None, description="HDF5 with one data set of (length, width) per chain, named by it, made elsewhere"
    )


class ChainQc(Section):
    """What is dropped before anything is learnt."""

    min_length: int = Field(20, ge=1, le=100_000, description="shorter chains are left out and listed in qc.tsv")
    max_length: int = Field(1000, ge=20, le=100_000, description="so are longer ones")

    @model_validator(mode="after")
    def _ordered(self) -> ChainQc:
        if self.min_length > self.max_length:
            raise ValueError(f"qc.min_length: found {self.min_length}, above max_length ({self.max_length})")
        return self


class ChainSplits(Section):
    """Which chains are held out; homologous chains (one cluster) stay together."""

    model_config = ConfigDict(str_min_length=0)  # "": chains whose split column is empty

    train: list[str] = Field(["train"], description="values of the split columns that are trained on")
    validation: list[str] = Field(["val", "valid", "validation"], description="values that early stopping watches")
    test: list[str] = Field(["test"], description="values that are held out and reported")
    external: list[str] = Field([], description="values that are held out and reported apart")
    test_share: Fraction = Field(0.1, description="chains without a split column: share held out, by cluster")
    validation_share: Fraction = Field(0.1, description="the same for early stopping")
    word: int = Field(5, ge=3, le=8, description="without a cluster column: residues per word of the k-mer clusters")
    similarity: Annotated[float, Field(ge=0.001, le=1)] = Field(
        0.03, description="share of the shorter chain's words that makes two chains homologous"
    )
    seed: Seed = Field(0, description="seed of the assignment")

    @model_validator(mode="after")
    def _parts_differ(self) -> ChainSplits:
        part_of: dict[str, str] = {}
        for part in ("train", "validation", "test", "external"):
            for value in getattr(self, part):
                if value in part_of:
                    raise ValueError(f"splits.{part}: {value!r} belongs to {part_of[value]} already")
                part_of[value] = part
        if self.test_share + self.validation_share >= 1:
            raise ValueError(
                "splits.test_share and validation_share leave nothing to train on; their sum has to be below 1"
            )
        return self


class ResidueTraining(Section):
    """The encoder and how it is fitted."""

    encoder: EncoderName = Field("cnn", description="; ".join(f"{n}: {t}" for n, t in ENCODERS.items()))
    width: int = Field(96, ge=8, le=8192, description="channels of the encoder (lstm: per direction)")
    layers: int = Field(6, ge=1, le=200, description="depth of the encoder")
    kernel: int = Field(7, ge=1, le=999, description="cnn: residues that a convolution sees (odd)")
    attention_heads: int = Field(
        4, ge=1, le=256, description="transformer: heads of the attention; the width is a multiple"
    )
    latent: int = Field(
        16, ge=2, le=4096, description="width of h_t, the vector per residue that the heads read, on trial"
    )
    dropout: Annotated[float, Field(ge=0, le=0.95)] = Field(
        0.1, description="share of channels left out during training"
    )
    masked_residues: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        None, description="auxiliary: weight of telling the letter of masked residues (15 %) from their surroundings"
    )
    seeds: int = Field(2, ge=1, le=1000, description="replicas per arm, whose predictions are averaged")
    epochs: int = Field(
        12, ge=1, le=100_000, description="passes over the training chains; the learning rate falls to 0 over them"
    )
    patience: int = Field(
        4, ge=1, le=100_000, description="epochs without improvement on the validation chains before it stops"
    )
    batch: int = Field(4096, ge=64, le=100_000_000, description="residues per mini-batch, padding included")
    learning_rate: Annotated[float, Field(ge=1e-8, le=1)] = Field(2e-3, description="highest step of AdamW")
    weight_decay: Annotated[float, Field(ge=0, le=100)] = Field(0.01, description="of AdamW")
    balancing: BalancerName = Field(
        "equal", description="how the tasks' losses or gradients are weighed against each other (docs/balancing.md)"
    )
    balancing_options: dict[str, float | int | str] = Field({}, description="options of that method, by name")
    single_task: bool | list[str] = Field(
        True, description="train the matched single-task arm too; a list: of these tasks only"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="auto: a GPU where there is one; mixed precision on a GPU only"
    )
    scatter: Scatter = None
    seed: Seed = Field(0, description="first seed of the replicas")

    @model_validator(mode="after")
    def _fits(self) -> ResidueTraining:
        if self.encoder == "cnn" and self.kernel % 2 == 0:
            raise ValueError(f"training.kernel: found {self.kernel}; expected an odd number")
        if self.encoder == "transformer" and self.width % (2 * self.attention_heads):
            raise ValueError(
                f"training.width: found {self.width}; expected a multiple of {2 * self.attention_heads}, "
                f"two numbers for each of {self.attention_heads} attention_heads"
            )
        channels = 2 * self.width if self.encoder == "lstm" else self.width
        if self.latent > channels:
            raise ValueError(
                f"training.latent: found {self.latent}, more than the {channels} channels that it is made from; "
                f"expected fewer, or a larger width"
            )
        check_balancing(self.balancing, self.balancing_options)
        return self


class ResidueBaselines(Section):
    """What the network has to beat."""

    arms: list[Literal["majority", "covariates", "window_linear"]] = Field(
        ["majority", "covariates", "window_linear"],
        description="majority: the commonest state and the mean; covariates: linear in position, length and source; "
        "window_linear: ridge regression on the letters (and profiles) around a residue",
    )
    window: int = Field(15, ge=1, le=999, description="residues that window_linear sees (odd)")
    seed: Seed = Field(0, description="seed of the draw of training residues")

    @model_validator(mode="after")
    def _odd(self) -> ResidueBaselines:
        if self.window % 2 == 0:
            raise ValueError(f"baselines.window: found {self.window}; expected an odd number")
        return self


class ResidueProbe(TrialOptions):
    """The trial of every dimension of h_t; the chain is the unit."""

    residues: int = Field(40, ge=5, le=100_000, description="residues of a held-out chain that testify, spread evenly")
