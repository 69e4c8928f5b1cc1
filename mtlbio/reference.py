"""``config/README.md``: how a run is described, and every key of it in tables."""

from __future__ import annotations

from typing import get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mtlbio.keys import in_words, section_of

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

This file is written from the models in `mtlbio/config.py` and `mtlbio/sections.py` by `python -m mtlbio.config`.

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


def markdown(model: type[BaseModel], prefix: str = "") -> str:
    """One table of keys per section: type and choices, default, description; ``prefix`` begins every heading."""
    top = [(k, f) for k, f in model.model_fields.items() if section_of(f.annotation) is None]
    parts = [_table(f"{prefix}Top level", "", top)]
    for name, field in model.model_fields.items():
        section = section_of(field.annotation)
        if section is not None:
            note = field.description or (section.__doc__ or "").strip().splitlines()[0]
            named = get_origin(field.annotation) is dict
            need = "Required. " if field.is_required() else ""
            title = prefix + (f"`{name}.<name>`" if named else f"`{name}`")
            parts.append(_table(title, f"{need}{note[0].upper()}{note[1:].rstrip('.')}.", section.model_fields.items()))
            for key, inner in section.model_fields.items():
                nested = section_of(inner.annotation)
                if nested is not None:
                    words = (nested.__doc__ or "").strip().splitlines()[0]
                    parts.append(_table(f"{prefix}`{name}.{key}`", words, nested.model_fields.items()))
    return "\n".join(parts)


def _table(title: str, note: str, fields) -> str:
    lines = [f"## {title}", ""] + ([note, ""] if note else [])
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, field in fields:
        value = in_words(field.annotation, field.metadata)
        lines.append(f"| `{key}` | {value} | {_default(field)} | {field.description or ''} |")
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default is None:
        return "none"
    if isinstance(field.default, list):
        return f"`[{', '.join(map(str, field.default))}]`"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
