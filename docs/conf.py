"""The documentation site: ``make docs`` builds ``build/site`` from docs/, without a network.

The source folder is the repository (docs/_ext/short_addresses.py says why), of which
``include_patterns`` names the pages.
"""

import hashlib
import os
import sys
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS / "_ext")]

import mtlbio  # noqa: E402

project = "mtlbio"
author = "mtlbio developers"
copyright = "mtlbio developers, BSD-3-Clause"
version = release = mtlbio.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "docstrings",
    "joined_output",
    "short_addresses",
]
root_doc = "docs/index"
include_patterns = [
    "docs/**/*.md",
    "docs/**/*.rst",
    "docs/*.md",
    "config/README.md",
    "benchmarks/README.md",
    "mtlbio/cohort/data/leukaemia/README.md",
    "CHANGELOG.md",
]
exclude_patterns = [".*", "build", "dist", "results", "tests", "workflow", "envs", "**/__pycache__", "*.egg-info"]
nitpicky = True
# types of other packages: their inventories are elsewhere, and this is built without a network
OTHERS = (
    "anndata|annotated_types|collections|matplotlib|mudata|np|numpy|pandas|pathlib|pd|pydantic|rich|scipy|sklearn|torch"
    "|typer"
)
SHORT = (
    "AnnData|Axes|DataFrame|Ellipsis|Note|Path|S|Series|_PydanticGeneralMetadata"  # imported for type checkers alone
)
nitpick_ignore_regex = [
    ("py:.*", rf"({OTHERS})(\..*)?"),
    ("py:.*", rf"({SHORT})|typing\.Any|mtlbio\.kinds\.base\.R|mtlbio\.labels\.(registry\.K|base\.S)"),  # type variables
]
# what docstrings of the API name of the inner rooms, which have no page
nitpick_ignore = [
    ("py:data", "mtlbio.model.ensemble.FINAL"),
    ("py:mod", "mtlbio.probing.claims"),
    ("py:mod", "mtlbio.probing.subspaces"),
    ("py:class", "mtlbio.kinds.schemas.latents.LatentsRun"),
    ("py:func", "mtlbio.door.trial"),
    ("py:class", "mtlbio.kinds.base.OnPage"),
    ("py:class", "mtlbio.kinds.base.Simulation"),
    ("py:class", "mtlbio.kinds.schemas.cohort.CohortRun"),
    ("py:class", "mtlbio.kinds.schemas.latents.LatentsRun"),
    ("py:func", "mtlbio.kinds.read.read_run"),
    ("py:func", "mtlbio.modules.files_of"),
    ("py:meth", "mtlbio.labels.base.Label.saved"),
]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4  # as GitHub makes them
myst_fence_as_directive = []
suppress_warnings = ["myst.header"]  # a page may begin with a second level

# Notebooks are executed again where they, or the package, have changed; elsewhere what they printed is kept.
MODULES = sorted(f for f in (ROOT / "mtlbio").rglob("*") if f.is_file() and f.suffix != ".pyc")
PACKAGE = hashlib.sha256(b"".join(f.read_bytes() for f in MODULES)).hexdigest()[:16]
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build/notebooks" / PACKAGE)
nb_execution_in_temp = True
nb_execution_timeout = 1200
nb_execution_show_tb = True  # an error is a warning, and so an error of the build
nb_merge_streams = True
nb_number_source_lines = False
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # !mtlbio in a notebook
os.environ.setdefault("COLUMNS", "88")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads that wait for each other take longer than one

autodoc_member_order = "bysource"
autodoc_typehints = "both"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autosummary_generate = False
python_use_unqualified_type_names = True
napoleon_google_docstring = False
viewcode_line_numbers = True

highlight_language = "none"
html_theme = "sphinx_book_theme"
html_title = "mtlbio"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
html_theme_options = {
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "use_source_button": False,
    "navbar_persistent": [],
}

# Pages below another in the side bar. Here and not on the pages, which stay plain text on GitHub.
BELOW = {
    "docs/inputs/README": ["tables", "formats", "cells", "values", "metadata"],
    "docs/verdicts": [
        f"verdicts/{name}"
        for name in ("biology", "confounder", "technical", "mixed", "not_identifiable", "unused", "underpowered")
    ],
    "docs/tutorials/README": ["own_cohort", "other_latents", "proteins", "doses"],
    "docs/api/README": ["steps", "notebook", "simulate", "around", "labels", "kinds", "metrics", "examinee"],
}


def add_pages_below(app, docname, source):
    """Append the hidden list of the pages below a page."""
    if docname in BELOW:
        source[0] += "\n\n```{toctree}\n:hidden:\n\n" + "\n".join(BELOW[docname]) + "\n```\n"


def setup(app):
    import mtlbio.report
    from mtlbio import door

    mtlbio.report = door.report  # the step, which the room of that name can be called as
    app.connect("source-read", add_pages_below)
