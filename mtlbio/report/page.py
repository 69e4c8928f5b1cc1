"""``mtlbio report``: one page that opens offline, on a telephone and in print, and the figures as files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlbio.files import replacing
from mtlbio.progress import say
from mtlbio.report.palette import VARIABLES

if TYPE_CHECKING:
    from mtlbio.report.inputs import ReportedRun


def report(run: ReportedRun, results: str | Path) -> None:
    """Write ``report.html`` and ``figures/`` into ``results``.

    The page carries its style, its pictures and one small script in itself, asks no network for anything and names no
    date, so that the same results give the same bytes; without the script all of it is shown. Tables that a run does
    not have are named as missing where they would stand.

    Raises
    ------
    InputError
        ``cohort.h5ad``, ``latents.h5ad`` or ``verdicts.tsv`` is missing or does not fit.
    """
    from mtlbio.report.choice import choose
    from mtlbio.report.context import page_context
    from mtlbio.report.figures import draw_all
    from mtlbio.report.inputs import read_inputs

    results = Path(results)
    inputs = read_inputs(run, results)
    chosen = choose(inputs.verdicts, run.report.cards, inputs.supervised)
    pictures = draw_all(inputs, chosen, results / "figures")
    text = render(page_context(inputs, chosen, pictures))
    with replacing(results / "report.html") as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    say(f"Report: {results / 'report.html'} ({len(text.encode()) / 1e6:.1f} MB)")


def render(context: dict) -> str:
    """Fill the template; everything is escaped except style sheet, script and the figures drawn here.

    A browser runs no other script than that one: the page's security policy names its hash.
    ``context["words"]`` is the vocabulary in which the template's own words are said.
    """
    script = (resources.files("mtlbio.report") / "templates/page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return filled("mtlbio.report", "page.html", {**context, "script": script, "script_hash": digest})


def filled(package: str, template: str, context: Mapping[str, Any]) -> str:
    """A template of a package, with the style sheet of all pages; everything but that is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = css_variables() + (resources.files("mtlbio.report") / "templates/style.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(**context, style=style)


def css_variables() -> str:
    """The palette as CSS variables, for light screens and print, and for dark screens."""
    light, dark = ("".join(f"--{name}:{values[i]};" for name, values in VARIABLES.items()) for i in (0, 1))
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
