"""Names of gene sets as a reader wants them: ``Interferon alpha response (Hallmark)``."""

import re
from collections.abc import Iterable
from functools import cache

from markupsafe import Markup, escape

from mtlbio.cohort.genesets import builtin_sets

# beginning of a name in MSigDB -> collection in print; the longest beginning counts
_COLLECTIONS = {
    "HALLMARK": "Hallmark",
    "KEGG": "KEGG",
    "KEGG_MEDICUS": "KEGG Medicus",
    "REACTOME": "Reactome",
    "WP": "WikiPathways",
    "BIOCARTA": "BioCarta",
    "PID": "PID",
    "GOBP": "GO",
    "GOCC": "GO",
    "GOMF": "GO",
    "GO": "GO",
    "HP": "Human Phenotype",
}
# MSigDB writes all in capitals; these are so in print too, or have a form of their own. Words with a digit stay, too.
_CAPITALS = """
ADP AKT AMPK ATM ATP BCR BMP CAMP CDC CDK CTLA DNA EGF EGFR ER ERAD ERBB ERK ESC FAS FGF FGFR FOXO GABA GDP
GPCR GTP HDAC HDL HGF HIF HIV HLA IFN IGF IL JAK JNK KRAS LDL LPS MAPK MET MHC MTOR MYC NADH NF NFAT NFKB NGF
NK NLR NOD PDGF PI PKA PKC PPAR RAF RANKL RAS RB RHO RIG RNA ROS SMAD SRC STAT SUMO TCA TCR TGF TGFB TLR TNF
TNFA TRAIL UTR UV VEGF WNT II III IV VI VII VIII IX XI
""".split()
_OWN = {"DN": "down", "MRNA": "mRNA", "TRNA": "tRNA", "RRNA": "rRNA", "NCRNA": "ncRNA", "SIRNA": "siRNA", "P53": "p53"}
_OWN |= {"MIRNA": "miRNA", "MIRNAS": "miRNAs", "SNRNA": "snRNA", "LNCRNA": "lncRNA", "P38": "p38", "P75": "p75"}


def set_name(name: str) -> str:
    """A gene set in readable form: those of the collections of MSigDB, and those that ship with mtlbio.

    Any other name stays as it is: its owner knows it as it is written.

    Examples
    --------
    >>> set_name("HALLMARK_INTERFERON_ALPHA_RESPONSE"), set_name("B_CELL"), set_name("MY_SET"), set_name("batch")
    ('Interferon alpha response (Hallmark)', 'B cell', 'MY_SET', 'batch')
    >>> set_name("HALLMARK_IL6_JAK_STAT3_SIGNALING"), set_name("WP_MIRNAS_INVOLVED_IN_DNA_DAMAGE_RESPONSE")
    ('IL6 JAK STAT3 signaling (Hallmark)', 'miRNAs involved in DNA damage response (WikiPathways)')
    >>> set_name("proteins:B_CELL")
    'B cell in proteins'
    """
    if name in _builtin():
        return _sentence(name)
    for head in sorted(_COLLECTIONS, key=len, reverse=True):
        rest = name.removeprefix(f"{head}_")
        if rest != name and rest and re.fullmatch(r"[A-Z0-9_]+", rest):
            return f"{_sentence(rest)} ({_COLLECTIONS[head]})"
    block, _, rest = name.partition(":")  # of several assays, the one that it was scored on
    return f"{set_name(rest)} in {block}" if rest and set_name(rest) != rest else name


@cache
def _builtin() -> frozenset[str]:
    return frozenset(builtin_sets())


def _sentence(name: str) -> str:
    text = " ".join(_word(word) for word in name.split("_") if word)
    return text if text.split()[0] in _OWN.values() else text[0].upper() + text[1:]


def _word(word: str) -> str:
    if word in _OWN:
        return _OWN[word]
    if len(word) == 1 or word in _CAPITALS or re.search(r"\d", word):
        return word
    return word.lower()


def readable(text: str, names: Iterable[str]) -> Markup:
    """A sentence with the raw names of gene sets in it replaced by readable ones, each with the raw one as its title.

    Everything else in the sentence is escaped.

    Examples
    --------
    >>> print(readable("z02 (B_CELL) & <others>", ["B_CELL"]))
    z02 (<span title="B_CELL">B cell</span>) &amp; &lt;others&gt;
    """
    spoken = {name: set_name(name) for name in names}
    spoken = {name: shown for name, shown in spoken.items() if shown != name}
    if not spoken:
        return escape(text)
    longest_first = sorted(spoken, key=len, reverse=True)
    parts = re.split(rf"(?<![\w-])({'|'.join(map(re.escape, longest_first))})(?![\w-])", text)
    pieces = (titled(part) if part in spoken else escape(part) for part in parts)
    return Markup("").join(pieces)


def titled(name: str) -> Markup:
    """A gene set's readable name with the raw one as its title; just the name where they are the same."""
    shown = set_name(name)
    return escape(name) if shown == name else Markup('<span title="{}">{}</span>').format(name, shown)
