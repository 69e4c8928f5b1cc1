"""Write docs/commands.md, every command with its options, from the command line itself.

python docs/_ext/commands.py
"""

import re
from pathlib import Path

import typer
from typer.cli import get_docs_for_click

from mtlbio.cli import app

PAGE = Path(__file__).parents[1] / "commands.md"
HEAD = """# The commands

`mtlbio COMMAND --help` says the same. What `mtlbio run` passes on to Snakemake: [Running the workflow](workflow.md).
This page is written from the command line by `make docs`.

"""


def page() -> str:
    """The page as it should stand in docs/commands.md."""
    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command, info_name="mtlbio"), name="mtlbio")
    body = text.partition("**Commands**:")[2].partition("\n## ")[2]
    body = re.sub(r"^\* `--help`: .*\n", "", f"## {body}", flags=re.MULTILINE)
    body = re.sub(r"\*\*Options\*\*:\n\n(?=#|\Z)", "", body)
    return HEAD + body.replace("```console\n$ ", "```console\n").replace("**Usage**:\n\n", "").rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
