"""What stands among genes and samples in tables of measurements and is neither: known by its name."""

from __future__ import annotations

import re

# Columns that name a gene, as tools and repositories call them, the plainest identifiers first.
_NAMES_OF_GENES = (
    *("gene", "genes", "geneid", "geneids", "genename", "genenames", "genesymbol", "genesymbols", "symbol", "symbols"),
    *("hugosymbol", "hgncsymbol", "hgncid", "ensembl", "ensemblid", "ensemblgeneid", "ensemblgene", "ensg", "name"),
    *("entrez", "entrezid", "entrezgeneid", "entrezgene", "ncbigeneid", "geneshortname", "externalgenename", "hgnc"),
    *("probe", "probes", "probeid", "probeset", "probesetid", "idref", "id", "ids", "feature", "features", "featureid"),
    *("target", "targetid", "transcript", "transcriptid", "txname", "tx", "cpg", "cg", "cpgid", "site", "ilmnid"),
    *("protein", "proteins", "proteinid", "proteinids", "proteingroup", "proteinname", "proteinnames", "uniprot"),
    *("uniprotid", "accession", "analyte", "assay", "olinkid", "somaid", "seqid", "metabolite", "compound", "taxon"),
    *("mirna", "refseq", "refseqid", "otu", "peptide", "marker", "antigen", "row", "rowname", "rownames", "ensid"),
    *("genesymbolid", "geneidentifier", "genestableid", "genestableidversion", "targetname", "ensemblgeneidversion"),
)
# Columns that describe a gene.
_ABOUT_GENES = (
    *("chr", "chrom", "chromosome", "chromosomename", "seqname", "seqnames", "start", "end", "strand", "length"),
    *("genelength", "effectivelength", "efflength", "width", "description", "genedescription", "genetitle", "title"),
    *("biotype", "genebiotype", "genetype", "type", "class", "transcripttype", "source", "cytoband", "band", "locus"),
    *("location", "position", "pos", "genestart", "geneend", "startposition", "endposition", "alias", "aliases"),
    *("synonym", "synonyms", "goterms", "go", "definition", "annotation", "annotations", "note", "notes", "comment"),
    *("mapinfo", "relationtoisland", "island", "ucscrefgenename", "ucscrefgenegroup", "species", "organism"),
    *("fastaheaders", "exonlength", "gccontent", "gc", "percentgc", "numexons", "exoncount", "module", "genegroup"),
    *("transcriptids", "locuslink", "unigene", "unigeneid", "referencename", "probesequence", "sequence", "genefamily"),
)
# Statistics of a gene that stand beside its values.
_STATISTICS = (
    *("mean", "basemean", "median", "sd", "stdev", "variance", "var", "logfc", "log2fc", "log2foldchange", "lfcse"),
    *("pvalue", "pval", "padj", "adjpval", "fdr", "qvalue", "aveexpr", "average", "foldchange", "max", "min", "total"),
    *("sum", "totalcount", "totalcounts", "rowsum", "rowsums"),
)
# HTSeq-count, STAR --quantMode GeneCounts, featureCounts: reads that belong to no gene. R puts an X before "__".
_SUMMARY = re.compile(
    r"(X?_{0,2}(no_feature|ambiguous|too_low_aqual|not_aligned|alignment_not_unique)"
    r"|N_(unmapped|multimapping|nofeature|ambiguous)|unassigned_\w+|unmapped_reads)",
    re.IGNORECASE,
)
_SPIKE_IN = re.compile(r"(gSpikein_)?ERCC[-_.]\d{5}|SIRV\d{1,3}|SIRVome\w*|SIRVomeERCCome\w*", re.IGNORECASE)
# What a person, not a cell, has: the usual columns of metadata.
_OF_PEOPLE = {
    *(
        "age",
        "ageyears",
        "ageatdiagnosis",
        "ageatsampling",
        "sex",
        "gender",
        "bmi",
        "rin",
        "rinscore",
        "batch",
        "plate",
    ),
    *("iscase", "casecontrol", "case", "status", "disease", "diagnosis", "group", "condition", "treatment", "response"),
    *("outcome", "donor", "donorid", "patient", "patientid", "subject", "subjectid", "site", "center", "centre"),
    *("visit", "timepoint", "smoking", "smoker", "weight", "height", "pmi", "postmorteminterval", "race", "ethnicity"),
    *("label", "target", "class", "survival", "ostime", "osevent", "dead", "death", "libsize", "librarysize", "lane"),
    *("dv200", "cellcount", "ncells", "concentration", "dilution", "well", "cohort", "study", "responder", "relapse"),
    *("stage", "grade", "severity", "score", "education", "percentmito", "pctmito", "totalreads", "mappedreads"),
}


def plain(name: str) -> str:
    """A name in small letters and digits alone.

    Examples
    --------
    >>> plain("Entrez_Gene_Id"), plain("gene.name")
    ('entrezgeneid', 'genename')
    """
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def names_genes(column: str) -> bool:
    """Whether a column is called as columns with the names of genes are."""
    return plain(column) in _NAMES_OF_GENES


def is_annotation(column: str) -> bool:
    """Whether a column of a table with genes in rows is called as what describes genes."""
    return plain(column) in (*_NAMES_OF_GENES, *_ABOUT_GENES, *_STATISTICS)


def is_summary(name: str) -> bool:
    """Whether a name among the genes is a line of HTSeq, STAR or featureCounts on reads that belong to no gene.

    Examples
    --------
    >>> is_summary("__no_feature"), is_summary("N_unmapped"), is_summary("NFE2")
    (True, True, False)
    """
    return _SUMMARY.fullmatch(name) is not None


def is_spike_in(name: str) -> bool:
    """Whether a name among the genes is a control RNA that the laboratory added (ERCC, SIRV).

    Examples
    --------
    >>> is_spike_in("ERCC-00002"), is_spike_in("ERCC1")
    (True, False)
    """
    return _SPIKE_IN.fullmatch(name) is not None


def is_of_people(name: str) -> bool:
    """Whether a name among the genes is that of a usual column of metadata (age, RIN, is_case).

    Examples
    --------
    >>> is_of_people("RIN"), is_of_people("is_case"), is_of_people("AGER")
    (True, True, False)
    """
    return plain(name) in _OF_PEOPLE
