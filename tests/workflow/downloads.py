"""Planted cohorts written as three public repositories hand them out: with their names of files, lines and columns."""

from __future__ import annotations

import gzip
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from mtlbio.cohort.simulate import Simulation

PROBES = "{}_at"  # a probe set of the n-th gene
GEO_FIRST = 2_700_001
_CELLS = 12  # of every donor


def tabbed(*rows) -> str:
    """Rows of cells as text separated by tabs."""
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def geo(folder: Path, planted: Simulation) -> Path:
    """The series matrix of an Affymetrix study, and the annotation of its platform (``GPL570.annot.gz``) beside it."""
    people, n = planted.metadata, len(planted.metadata)
    accessions = [f"GSM{GEO_FIRST + i}" for i in range(n)]

    def every(value: str) -> list[str]:
        return [f'"{value}"'] * n

    def each(values) -> list[str]:
        return [f'"{value}"' for value in values]

    series = [
        ("title", "Blood transcriptomes of patients and controls"),
        ("geo_accession", "GSE90000"),
        ("status", "Public on Feb 01 2018"),
        ("submission_date", "Dec 01 2017"),
        ("last_update_date", "Mar 25 2019"),
        ("summary", 'Whole blood was drawn into PAXgene tubes. "Globin" was not removed.'),
        ("overall_design", "One sample per person"),
        ("type", "Expression profiling by array"),
        ("contributor", "Ada,,Lovelace"),
        ("sample_id", "".join(f"{a} " for a in accessions)),
        ("contact_name", "Ada,,Lovelace"),
        ("supplementary_file", "ftp://ftp.ncbi.nlm.nih.gov/geo/series/GSE90nnn/GSE90000/suppl/GSE90000_RAW.tar"),
        ("platform_id", "GPL570"),
        ("platform_taxid", "9606"),
        ("sample_taxid", "9606"),
        ("relation", "BioProject: https://www.ncbi.nlm.nih.gov/bioproject/PRJNA400000"),
    ]
    # GEO packs the characteristics: a person without a response has his next value in that line
    said = [
        [f"{key}: {value}" for key, value in pairs if value == value]
        for pairs in zip(
            [("disease state", d) for d in people["disease"].map({"case": "SLE", "control": "healthy control"})],
            [("age (yr)", f"{a:g}") for a in people["age"]],
            [("gender", s) for s in people["sex"].str.title()],
            [("response", r) for r in people["response"]],
            [("batch", b) for b in people["batch"]],
            [("tissue", "whole blood")] * n,
            strict=True,
        )
    ]
    widest = max(map(len, said))
    characteristics = [[row[k] if k < len(row) else "" for row in said] for k in range(widest)]
    sample = [
        ("title", each(f"Blood, {d}, replicate {i + 1}" for i, d in enumerate(people["disease"]))),
        ("geo_accession", each(accessions)),
        ("status", every("Public on Feb 01 2018")),
        ("submission_date", every("Dec 01 2017")),
        ("last_update_date", every("Feb 01 2018")),
        ("type", every("RNA")),
        ("channel_count", every("1")),
        ("source_name_ch1", every("whole blood")),
        ("organism_ch1", every("Homo sapiens")),
        *[("characteristics_ch1", each(row)) for row in characteristics],
        ("molecule_ch1", every("total RNA")),
        ("extract_protocol_ch1", every("PAXgene Blood RNA kit")),
        ("label_ch1", every("biotin")),
        ("label_protocol_ch1", every("NuGEN Ovation")),
        ("taxid_ch1", every("9606")),
        ("hyb_protocol", every('45 C for 18 h; "standard"')),
        ("scan_protocol", every("GeneChip Scanner 3000")),
        ("description", each(f"Gene expression data of {a}" for a in accessions)),
        ("data_processing", every("RMA, log2")),
        ("platform_id", every("GPL570")),
        ("contact_name", every("Ada,,Lovelace")),
        ("contact_country", every("United Kingdom")),
        ("supplementary_file", each(f"ftp://ftp.ncbi.nlm.nih.gov/geo/samples/{a}.CEL.gz" for a in accessions)),
        ("data_row_count", every(str(planted.expression.shape[1]))),
    ]
    probes = [PROBES.format(200_000 + i) for i in range(planted.expression.shape[1])]
    lines = [*[(f"!Series_{key}", f'"{value}"') for key, value in series], ()]
    lines += [(f"!Sample_{key}", *values) for key, values in sample]
    lines += [("!series_matrix_table_begin",), ('"ID_REF"', *each(accessions))]
    lines += [(f'"{p}"', *row) for p, row in zip(probes, planted.expression.to_numpy().T, strict=True)]
    lines += [("!series_matrix_table_end",)]
    path = folder / "GSE90000_series_matrix.txt.gz"
    path.write_bytes(gzip.compress(tabbed(*lines).encode()))
    columns = ("ID", "Gene title", "Gene symbol", "Gene ID", "UniGene title", "GenBank Accession")
    rows = [(p, f"protein {g}", g, i, "", "") for i, (p, g) in enumerate(zip(probes, planted.expression, strict=True))]
    head = [("^Annotation",), ("!Annotation_date = Aug 15 2018",), ("!Annotation_platform = GPL570",)]
    head += [(f"#{c} = {c} of the probe",) for c in columns] + [("!platform_table_begin",), columns]
    text = tabbed(*head, *rows, ("!platform_table_end",))
    (folder / "GPL570.annot.gz").write_bytes(gzip.compress(text.encode()))
    return path


def cbioportal(folder: Path, planted: Simulation) -> Path:
    """The folder of a study of TCGA's PanCancer Atlas."""
    people, n = planted.metadata, len(planted.metadata)
    study = folder / "brca_tcga_pan_can_atlas_2018"
    (study / "case_lists").mkdir(parents=True)
    patients = [f"TCGA-A1-A{i:03d}" for i in range(n)]
    samples = [f"{p}-01" for p in patients]
    (study / "meta_study.txt").write_text(
        "type_of_cancer: brca\ncancer_study_identifier: brca_tcga_pan_can_atlas_2018\n"
        "name: Breast Invasive Carcinoma (TCGA, PanCancer Atlas)\ndescription: TCGA\nadd_global_case_list: true\n"
    )
    (study / "meta_mrna_seq_v2_rsem.txt").write_text(
        "cancer_study_identifier: brca_tcga_pan_can_atlas_2018\nstable_id: rna_seq_v2_mrna\n"
        "genetic_alteration_type: MRNA_EXPRESSION\ndatatype: CONTINUOUS\nshow_profile_in_analysis_tab: false\n"
        "profile_name: mRNA Expression, RSEM\ndata_filename: data_mrna_seq_v2_rsem.txt\n"
    )
    (study / "case_lists" / "cases_all.txt").write_text("case_list_ids: " + "\t".join(samples) + "\n")
    (study / "data_mutations.txt").write_text(
        tabbed(("Hugo_Symbol", "Entrez_Gene_Id", "Tumor_Sample_Barcode"), ("TP53", 7157, samples[0]))
    )
    of_patients = {
        "PATIENT_ID": patients,
        "SUBTYPE": ["BRCA_" + ("Basal" if d == "case" else "LumA") for d in people["disease"]],
        "CANCER_TYPE_ACRONYM": ["BRCA"] * n,
        "AGE": people["age"].round().astype(int),
        "SEX": people["sex"].str.title(),
        "AJCC_PATHOLOGIC_TUMOR_STAGE": [("STAGE I", "STAGE IIA", "STAGE IIIB")[i % 3] for i in range(n)],
        "DAYS_LAST_FOLLOWUP": [400 + 7 * i for i in range(n)],
        "DAYS_TO_BIRTH": -(people["age"] * 365).round().astype(int),
        "ETHNICITY": ["Not Hispanic Or Latino"] * n,
        "FORM_COMPLETION_DATE": ["6/25/14"] * n,
        "HISTORY_NEOADJUVANT_TRTYN": ["No"] * n,
        "ICD_10": ["C50.9"] * n,
        "NEW_TUMOR_EVENT_AFTER_INITIAL_TREATMENT": ["No", "Yes", ""] * (n // 3) + ["No"] * (n % 3),
        "RACE": [("White", "Black or African American", "")[i % 3] for i in range(n)],
        "RADIATION_THERAPY": [("Yes", "No")[i % 2] for i in range(n)],
        "TREATMENT_RESPONSE": people["response"].fillna("[Not Available]"),
        "OS_STATUS": [("0:LIVING", "1:DECEASED")[i % 5 == 0] for i in range(n)],
        "OS_MONTHS": [f"{10 + i / 7:.8f}" for i in range(n)],
    }
    of_samples = {
        "PATIENT_ID": patients,
        "SAMPLE_ID": samples,
        "ONCOTREE_CODE": ["BRCA"] * n,
        "CANCER_TYPE": ["Breast Cancer"] * n,
        "CANCER_TYPE_DETAILED": ["Invasive Breast Carcinoma"] * n,
        "TUMOR_TYPE": ["Infiltrating Ductal Carcinoma"] * n,
        "TISSUE_SOURCE_SITE_CODE": [("A1", "BH", "E9", "AR")[int(b[1:]) - 1] for b in people["batch"]],
        "SAMPLE_TYPE": ["Primary"] * n,
        "ANEUPLOIDY_SCORE": [i % 30 for i in range(n)],
        "MSI_SCORE_MANTIS": [0.3 + i / 1000 for i in range(n)],
        "SOMATIC_STATUS": ["Matched"] * n,
        "TMB_NONSYNONYMOUS": [round(0.5 + i / 11, 4) for i in range(n)],
    }
    for name, table, whose in (("patient", of_patients, "PATIENT"), ("sample", of_samples, "SAMPLE")):
        titles = [c.replace("_", " ").title() for c in table]
        kinds = ["NUMBER" if c in ("AGE", "OS_MONTHS", "ANEUPLOIDY_SCORE") else "STRING" for c in table]
        head = [(f"#{row[0]}", *row[1:]) for row in (titles, titles, kinds, ["1"] * len(table))]
        rows = list(pd.DataFrame(table).iloc[::-1].itertuples(index=False))  # the two files are in orders of their own
        rows = rows if whose == "PATIENT" else rows[::-1]
        (study / f"data_clinical_{name}.txt").write_text(tabbed(*head, tuple(table), *rows))
    linear = np.maximum(2 ** planted.expression.to_numpy().T - 1, 0).round(4)
    rows = [(g, 100 + i, *row) for i, (g, row) in enumerate(zip(planted.expression, linear, strict=True))]
    header = ("Hugo_Symbol", "Entrez_Gene_Id", *samples)
    (study / "data_mrna_seq_v2_rsem.txt").write_text(tabbed(header, *rows))
    z = [(g, i, *row) for g, i, *row in rows]
    (study / "data_mrna_seq_v2_rsem_zscores_ref_all_samples.txt").write_text(tabbed(header, *z))
    return study


def cellxgene(folder: Path, planted: Simulation, seed: int = 0) -> Path:
    """An h5ad of single cells by the schema of CELLxGENE: log-normalised X, counts in ``raw.X``, Ensembl as index."""
    rng, people = np.random.default_rng(seed), planted.metadata
    rows = np.repeat(np.arange(len(people)), _CELLS)
    share = 2 ** planted.expression.to_numpy().astype(float)
    share /= share.sum(axis=1, keepdims=True)
    depth = rng.uniform(3_000, 9_000, (len(rows), 1))
    counts = rng.poisson(share[rows] * depth).astype(np.float32)
    genes = list(planted.expression)
    ensembl = [f"ENSG{i:011d}" for i in range(1, len(genes) + 1)]
    diseases = {"case": ("systemic lupus erythematosus", "MONDO:0007915"), "control": ("normal", "PATO:0000461")}
    of_cells = people.iloc[rows].reset_index(drop=True)
    types = [("CD14-positive monocyte", "CL:0001054"), ("T cell", "CL:0000084")]
    which = rng.integers(0, 2, len(rows))
    ages = [int(a) for a in of_cells["age"]]
    text = {
        "donor_id": of_cells["donor_id"],
        "Processing_Cohort": of_cells["batch"],
        "response": of_cells["response"],
        "suspension_type": "cell",
        "is_primary_data": True,
        "tissue_type": "tissue",
        "cell_type_ontology_term_id": [types[w][1] for w in which],
        "assay_ontology_term_id": "EFO:0009899",
        "development_stage_ontology_term_id": [f"HsapDv:{90 + a:07d}" for a in ages],
        "disease_ontology_term_id": [diseases[d][1] for d in of_cells["disease"]],
        "self_reported_ethnicity_ontology_term_id": "HANCESTRO:0005",
        "sex_ontology_term_id": of_cells["sex"].map({"female": "PATO:0000383", "male": "PATO:0000384"}),
        "tissue_ontology_term_id": "UBERON:0000178",
        "cell_type": [types[w][0] for w in which],
        "assay": "10x 3' v2",
        "disease": [diseases[d][0] for d in of_cells["disease"]],
        "sex": of_cells["sex"],
        "tissue": "blood",
        "self_reported_ethnicity": "European",
        "development_stage": [f"{a}-year-old stage" for a in ages],
    }
    barcodes = ["".join(rng.choice(list("ACGT"), 16)) + f"-{i}" for i in rows]
    obs = pd.DataFrame(text).set_axis(barcodes, axis=0)
    obs["is_primary_data"] = True
    for column in obs.columns.drop("is_primary_data"):
        obs[column] = obs[column].astype("category")
    obs["observation_joinid"] = [f"j{i:08d}" for i in range(len(obs))]
    var = pd.DataFrame(
        {
            "feature_name": pd.Categorical(genes),
            "feature_reference": "NCBITaxon:9606",
            "feature_biotype": "gene",
            "feature_length": 1500,
            "feature_type": "protein_coding",
        },
        index=ensembl,
    )
    normalised = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 10_000)
    data = ad.AnnData(sparse.csr_matrix(counts), obs=obs, var=var)
    data.raw = data.copy()
    data.X = sparse.csr_matrix(normalised)
    data.var["feature_is_filtered"] = False
    data.obsm["X_umap"] = rng.normal(size=(len(obs), 2))
    data.uns |= {"schema_version": "5.2.0", "title": "PBMC", "default_embedding": "X_umap", "citation": "Publication"}
    path = folder / "9c7f2c84-5d1b-4e4f-8f3a-0a6c3b0a1c11.h5ad"
    data.write_h5ad(path, compression="gzip")
    return path
