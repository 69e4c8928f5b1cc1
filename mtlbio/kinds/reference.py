"""What follows from the models of the package's own kinds: ``config/README.md`` and the JSON schemas."""

from __future__ import annotations

import json

from mtlbio.config.reference import markdown
from mtlbio.kinds.base import kind_named
from mtlbio.kinds.schemas import CohortRun, ProteinRun, TableRun

INTRODUCTION = """\
# How a run is described

`config.yaml` lists runs; each run is one YAML file (`runs/*.yaml` here, or any file of yours:
`mtlbio run my_cohort.yaml` needs no copy of it). `mtlbio init EXPRESSION METADATA` drafts one from your two
files, `mtlbio init TABLE` from one table of patients (docs/doses.md).

```yaml
run: my_cohort
expression: {path: data/expression.parquet, scale: log2}
metadata: {path: data/metadata.csv, sample: sample_id, donor: donor_id}
tasks:
  disease:  {kind: binary, positive: SLE}
  age:      {kind: regression}
  response: {kind: binary, column: response_180d, positive: responder}   # missing labels are normal
covariates:
  age:   {role: confounder, kind: continuous}   # upstream of the disease
  sex:   {role: confounder}
  batch: {role: technical}                      # downstream: processing
gene_sets: path/to/gene_sets.gmt
```

- Relative paths are relative to the YAML that holds them. A key that is not listed below is an error.
- Samples and metadata are joined on the sample identifier. Identifiers and labels are text: donor `007` stays `007`.
- A missing value is an empty field, `NA`, `N/A`, `NaN` or `nan`. `none` is a value like any other.
- In `positive`, `negative` and `classes` a number matches every way of writing it (`1`: 1, 1.0), `true` also yes and 1.
- Expression may not have missing values. `counts` are whole numbers from 0; `beta` lies between 0 and 1;
  `log`, `log2` and `z` stay below 50.
- Of a donor there is one sex and one diagnosis: two values in a confounder called sex or gender, or in a task called
  disease, diagnosis, case or status, are an error. Anything else may change between visits.
- In place of `expression`, `features` names a table of genotypes, clinical numbers and the like, which may have missing
  values and may hold the metadata too (docs/doses.md).
- What was dropped, and why, is in `qc.tsv` of the results.

This file is written from the models in `mtlbio/config/` and `mtlbio/kinds/schemas/` by `python -m mtlbio.kinds`.

"""


PROTEINS = """
# A run of kind protein

```yaml
run: my_proteins
kind: protein
chains:
  joint:                                     # every residue may have all labels
    {path: data/joint.csv.gz, sequence: seq, source: source_set, split: split}
  q3_only:                                   # labels that a chain lacks are masked
    {path: data/q3.csv.gz, sequence: seq, mask: resolved, part: train}
tasks:
  structure: {kind: secondary_structure, q8: q8, q3: q3}
  exposure:  {kind: accessibility, column: rsa}
```

- A run says `kind: protein` and goes through the same steps, tables and page ([docs/proteins.md](../docs/proteins.md)).
- Sequences hold the twenty letters and X B Z J U O; a string of labels is as long as its sequence.
- A chain, a sequence and a cluster of homologous chains each lie in one part; anything else is an error.
- Control for nothing in the YAML: position, distance from the nearest end and chain length are confounders, the data
  set is technical, always.

"""

# Where the schema of each kind lies in the repository.
SCHEMAS = {
    "cohort": "workflow/schemas/run.schema.json",
    "table": "workflow/schemas/table.schema.json",
    "protein": "workflow/schemas/protein.schema.json",
}


def config_reference() -> str:
    """``config/README.md``: how a run is written, and every key of it."""
    return INTRODUCTION + markdown(CohortRun, TableRun) + PROTEINS + markdown(ProteinRun, prefix="protein: ")


def json_schema(kind: str = "cohort") -> dict:
    """JSON schema of a run's YAML (``workflow/schemas/``), for editors; with keys that make it another kind."""
    schema = kind_named(kind).schema.model_json_schema()
    for other in kind_named(kind).beside:
        further = other.model_json_schema()
        schema["properties"] = further["properties"] | schema["properties"]
        schema["$defs"] = further["$defs"] | schema["$defs"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def generated_files() -> dict[str, str]:
    """Files of the repository that follow from the models, by path; ``python -m mtlbio.kinds`` writes them."""
    schemas = {place: json.dumps(json_schema(kind), indent=2) + "\n" for kind, place in SCHEMAS.items()}
    return {"config/README.md": config_reference(), **schemas}
