"""What the page says of several assays."""

from mtlbio.cohort.assays.blocks import blocks_of
from mtlbio.report.inputs import Inputs
from mtlbio.text import joined, number


def assays(inputs: Inputs) -> list[str]:
    """Who has which block, whether each pays, and what one says of another."""
    blocks = blocks_of(inputs.cohort)
    counts = [f"{name} in {have:,}" for name, have in zip(blocks.names, blocks.present.sum(axis=0), strict=True)]
    said = [
        f"Of {len(blocks.present):,} samples there is {joined(counts)}. Nothing was imputed: each is predicted from "
        f"the blocks that it has (rests_on.tsv), and stands at the mean of an axis of which it has no block."
    ]
    table = inputs.tables.get("pays")
    said += [] if table is None else [f"{text[0].upper()}{text[1:]}" for text in table["why"].astype(str)]
    crossed = inputs.tables.get("cross_prediction")
    if crossed is not None and len(crossed):
        pairs = [f"{row['to']} from {row['from']}, r {number(row['r'], 2)}" for _, row in crossed.iterrows()]
        said.append(f"What one block says of another (median feature, held-out donors): {joined(pairs)}.")
    return said
