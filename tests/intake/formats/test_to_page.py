"""From a download to a prepared cohort: what `mtlbio init` drafts from it is a run that prepares without editing."""

from __future__ import annotations

import gzip

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml
from layouts import tabbed

from mtlbio.cohort.drafts.draft import draft
from mtlbio.cohort.prepare import build_cohort, build_roster
from mtlbio.errors import InputError
from mtlbio.kinds.commands import kind_of_files
from mtlbio.kinds.read import read_run

N, GENES = 24, [f"GENE{g}" for g in range(1, 21)]


def values(seed: int = 0) -> np.ndarray:
    """(genes, samples) on a log2 scale."""
    return np.round(np.random.default_rng(seed).normal(8, 1.5, (len(GENES), N)), 3)


def people() -> pd.DataFrame:
    code = np.arange(N)
    return pd.DataFrame(
        {
            "disease": np.where(code % 2, "SLE", "healthy"),
            "age": 20 + code,
            "sex": np.where(code % 3, "female", "male"),
            "batch": [f"B{c // 4 % 3}" for c in code],
        }
    )


def prepared(folder, *files):
    """The cohort of the drafted run, and the draft."""
    text, _ = draft(*files, folder=folder)
    (folder / "run.yaml").write_text(text)
    run = read_run(folder / "run.yaml")
    cohort, _ = build_cohort(run)
    assert list(build_roster(run)[0].index) == list(cohort.samples)
    return cohort, yaml.safe_load(text)


def series_matrix(path, table=None):
    about = people()
    samples = [f'"GSM{i}"' for i in range(N)]
    lines = [("!Series_title", '"Blood"'), ("!Sample_title", *[f'"lib_{i}"' for i in range(N)])]
    lines += [("!Sample_geo_accession", *samples), ("!Sample_organism_ch1", *['"Homo sapiens"'] * N)]
    lines += [("!Sample_characteristics_ch1", *[f'"{c}: {v}"' for v in about[c]]) for c in about]
    body = [] if table is None else [(f'"{g}"', *row) for g, row in zip(GENES, table, strict=True)]
    text = tabbed(*lines, ("!series_matrix_table_begin",), ('"ID_REF"', *samples), *body, ("!series_matrix_table_end",))
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_a_series_matrix_alone(tmp_path):
    path = series_matrix(tmp_path / "GSE1_series_matrix.txt.gz", values())
    assert kind_of_files(path, None).name == "cohort"
    cohort, run = prepared(tmp_path, path)
    assert run["expression"] == {"path": "GSE1_series_matrix.txt.gz", "scale": "log2"}
    assert run["metadata"]["path"] == "GSE1_series_matrix.txt.gz" and run["metadata"]["sample"] == "geo_accession"
    assert list(cohort.samples) == [f"GSM{i}" for i in range(N)] and list(cohort.genes) == GENES
    np.testing.assert_allclose(cohort.expression, values().T, rtol=1e-6)
    assert cohort.obs["age"].tolist() == list(range(20, 20 + N))
    assert run["tasks"]["disease"] == {"kind": "binary", "positive": "SLE"}


def test_counts_described_by_a_series_matrix(tmp_path):
    described = series_matrix(tmp_path / "GSE1_series_matrix.txt.gz")
    counts = np.round(2 ** values()).astype(int)
    about = ["Geneid", "Chr", "Start", "End", "Strand", "Length"]
    rows = [[g, "chr1", 1, 9, "+", 9, *row] for g, row in zip(GENES, counts, strict=True)]
    (tmp_path / "counts.txt").write_text(tabbed([*about, *[f"bam/lib_{i}.bam" for i in range(N)]], *rows))
    cohort, run = prepared(tmp_path, tmp_path / "counts.txt", described)
    assert run["expression"] == {"path": "counts.txt", "scale": "counts"}
    assert run["metadata"]["sample"] == "title" and list(cohort.samples) == [f"lib_{i}" for i in range(N)]
    with pytest.raises(InputError, match="a series matrix without values.*mtlbio init COUNTS"):
        draft(described)


def test_a_study_of_cbioportal(tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    about = people().rename(columns={"sex": "SEX", "age": "AGE", "disease": "DISEASE"})
    (study / "meta_study.txt").write_text("cancer_study_identifier: study\n")
    samples = [("#Patient", "Sample", "Batch"), ("#x", "y", "z"), ("#STRING",) * 3, ("#1",) * 3]
    samples += [("PATIENT_ID", "SAMPLE_ID", "BATCH"), *[(f"P{i}", f"P{i}-01", about["batch"][i]) for i in range(N)]]
    patients = [("#Patient", "Sex", "Age", "Disease"), ("#x",) * 4, ("#STRING",) * 4, ("#1",) * 4]
    patients += [("PATIENT_ID", "SEX", "AGE", "DISEASE")]
    patients += [(f"P{i}", about["SEX"][i], about["AGE"][i], about["DISEASE"][i]) for i in reversed(range(N))]
    linear = np.round(2 ** values(), 2)
    rows = [(g, i + 1, *row) for i, (g, row) in enumerate(zip(GENES, linear, strict=True))]
    for name, table in (
        ("data_clinical_sample.txt", samples),
        ("data_clinical_patient.txt", patients),
        ("data_mrna_seq_v2_rsem.txt", [("Hugo_Symbol", "Entrez_Gene_Id", *[f"P{i}-01" for i in range(N)]), *rows]),
    ):
        (study / name).write_text(tabbed(*table))
    cohort, run = prepared(tmp_path, study)
    assert run["expression"] == {"path": "study", "scale": "linear"}
    assert run["metadata"] == {"path": "study", "sample": "SAMPLE_ID", "donor": "PATIENT_ID"}
    assert list(cohort.samples) == [f"P{i}-01" for i in range(N)] and cohort.obs["donor"].tolist()[:2] == ["P0", "P1"]
    np.testing.assert_allclose(cohort.expression, np.log2(linear.T + 1), rtol=1e-5)
    assert cohort.obs["age"].tolist() == list(range(20, 20 + N))


def test_olink_beside_its_metadata(tmp_path):
    table = values()
    rows = [
        (f"S{s}", f"OID{g}", f"P{g}", gene, 0.0, "Inflammation", "Plate1", "PASS", 1, table[g, s])
        for g, gene in enumerate(GENES)
        for s in range(N)
    ]
    names = ["SampleID", "OlinkID", "UniProt", "Assay", "MissingFreq", "Panel", "PlateID", "QC_Warning", "LOD", "NPX"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "npx.csv", sep=";", index=False)
    people().assign(sample_id=[f"S{i}" for i in range(N)]).to_csv(tmp_path / "metadata.csv", index=False)
    cohort, run = prepared(tmp_path, tmp_path / "npx.csv", tmp_path / "metadata.csv")
    assert run["expression"] == {"path": "npx.csv", "scale": "log2"}
    np.testing.assert_allclose(cohort.expression, table.T, rtol=1e-6)
    with pytest.raises(InputError, match="Olink NPX in the long layout describes no samples"):
        draft(tmp_path / "npx.csv")


def test_the_file_of_one_sample(tmp_path):
    place = tmp_path / "S1_quant"
    place.mkdir()
    rows = [(f"ENST{i}", 100, 90, 1, i) for i in range(5)]
    (place / "quant.sf").write_text(tabbed(("Name", "Length", "EffectiveLength", "TPM", "NumReads"), *rows))
    people().assign(sample_id=[f"S{i}" for i in range(N)]).to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(InputError, match=r"quant.sf: holds one sample \(S1\); expected .* the folder"):
        draft(place / "quant.sf", tmp_path / "metadata.csv")


def test_a_series_matrix_described_by_a_table_that_knows_its_titles(tmp_path):
    path = series_matrix(tmp_path / "GSE1_series_matrix.txt.gz", values())
    about = people().assign(subject=[f"lib_{i}" for i in range(N)])
    about.to_csv(tmp_path / "people.csv", index=False)
    cohort, run = prepared(tmp_path, path, tmp_path / "people.csv")
    assert run["metadata"]["sample"] == "subject" and list(cohort.samples) == about["subject"].tolist()
    np.testing.assert_allclose(cohort.expression, values().T, rtol=1e-6)


def test_files_of_samples_that_geo_named(tmp_path):
    described = series_matrix(tmp_path / "GSE1_series_matrix.txt.gz")
    (tmp_path / "raw").mkdir()
    counts = np.round(2 ** values()).astype(int)
    for i in range(N):
        rows = zip(GENES, counts[:, i], strict=True)
        (tmp_path / "raw" / f"GSM{i}_lib{i}.counts.txt.gz").write_bytes(gzip.compress(tabbed(*rows).encode()))
    cohort, run = prepared(tmp_path, tmp_path / "raw", described)
    assert run["metadata"]["sample"] == "geo_accession"
    assert sorted(cohort.samples) == sorted(f"GSM{i}" for i in range(N))
    assert cohort.obs.loc["GSM5", "age"] == 25


def test_samples_of_an_anndata_without_donors_ask_for_them_and_say_how(tmp_path):
    about = people().set_axis([f"S{i}" for i in range(N)], axis=0)
    ad.AnnData(values().T, obs=about, var=pd.DataFrame(index=GENES)).write_h5ad(tmp_path / "bulk.h5ad")
    with pytest.raises(InputError, match=r"metadata.donor: not chosen yet.*adata.obs\['donor'\] = adata.obs_names"):
        prepared(tmp_path, tmp_path / "bulk.h5ad")
    assert "# if every row is a donor of its own, in Python" in (tmp_path / "run.yaml").read_text()
    ad.AnnData(values().T, obs=about.assign(donor=about.index), var=pd.DataFrame(index=GENES)).write_h5ad(
        tmp_path / "bulk.h5ad"
    )
    assert list(prepared(tmp_path, tmp_path / "bulk.h5ad")[0].samples) == list(about.index)
