"""Readable names of gene sets: one function for sentences, raw names kept as titles."""

import pytest

from mtlbio.cohort.genesets import builtin_sets
from mtlbio.report.set_names import readable, set_name, titled


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("HALLMARK_INTERFERON_ALPHA_RESPONSE", "Interferon alpha response (Hallmark)"),
        ("HALLMARK_TNFA_SIGNALING_VIA_NFKB", "TNFA signaling via NFKB (Hallmark)"),
        ("HALLMARK_KRAS_SIGNALING_DN", "KRAS signaling down (Hallmark)"),
        ("HALLMARK_G2M_CHECKPOINT", "G2M checkpoint (Hallmark)"),
        ("HALLMARK_P53_PATHWAY", "p53 pathway (Hallmark)"),
        ("HALLMARK_MYC_TARGETS_V1", "MYC targets V1 (Hallmark)"),
        ("KEGG_B_CELL_RECEPTOR_SIGNALING_PATHWAY", "B cell receptor signaling pathway (KEGG)"),
        ("KEGG_MEDICUS_REFERENCE_TYPE_I_IFN_SIGNALING", "Reference type I IFN signaling (KEGG Medicus)"),
        ("REACTOME_MRNA_SPLICING", "mRNA splicing (Reactome)"),
        ("GOBP_RESPONSE_TO_TYPE_I_INTERFERON", "Response to type I interferon (GO)"),
        ("GOCC_SPLICEOSOMAL_COMPLEX", "Spliceosomal complex (GO)"),
        ("WP_MIRNAS_INVOLVED_IN_DNA_DAMAGE_RESPONSE", "miRNAs involved in DNA damage response (WikiPathways)"),
        ("BIOCARTA_IL2_PATHWAY", "IL2 pathway (BioCarta)"),
        ("PID_TCR_PATHWAY", "TCR pathway (PID)"),
        ("HP_FEVER", "Fever (Human Phenotype)"),
        ("B_CELL", "B cell"),
        ("NEUTROPHIL", "Neutrophil"),
        ("INFLAMMATION_NFKB", "Inflammation NFKB"),
    ],
)
def test_names_of_collections_and_of_the_sets_that_ship(raw, shown):
    assert set_name(raw) == shown


@pytest.mark.parametrize(
    "own", ["batch", "MY_SET", "enriched in monocytes (II) (M11.0)", "HALLMARK_", "HALLMARK_own_set", "GO", "WP", ""]
)
def test_any_other_name_stays_as_its_owner_wrote_it(own):
    assert set_name(own) == own


def test_no_set_that_ships_keeps_an_underscore():
    assert len(builtin_sets()) > 20
    assert not [name for name in map(set_name, builtin_sets()) if "_" in name or name.isupper()]


def test_a_sentence_shows_the_readable_name_and_keeps_the_raw_one_as_title():
    raw = "HALLMARK_INTERFERON_ALPHA_RESPONSE"
    shown = readable(f"z02 ({raw}) follows <disease> & {raw}_2", [raw, "disease"])
    span = f'<span title="{raw}">Interferon alpha response (Hallmark)</span>'
    assert shown == f"z02 ({span}) follows &lt;disease&gt; &amp; {raw}_2"  # another name that begins so is left alone
    assert readable("a < b", []) == readable("a < b", ["disease"]) == "a &lt; b"


def test_the_longer_of_two_names_counts():
    names = ["HALLMARK_HYPOXIA", "HALLMARK_HYPOXIA_LATE"]
    assert readable("HALLMARK_HYPOXIA_LATE.", names).count("<span") == 1
    assert "Hypoxia late (Hallmark)</span>." in readable("HALLMARK_HYPOXIA_LATE.", names)


def test_markup_in_a_name_is_text():
    evil = "<script>alert('x')</script>"
    assert "<script" not in titled(evil) and "<script" not in readable(f"z01 {evil}", [evil])
