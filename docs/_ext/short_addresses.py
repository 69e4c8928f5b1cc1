"""Pages of the site without the folder that their source lies in.

The source folder of the site is the whole repository, so that a link such as ``../config/README.md`` means one thing on
GitHub and here. In the site ``docs/verdicts.md`` is ``verdicts.html``, and a README is the index of its folder.
"""

from pathlib import Path

from sphinx.builders.html import StandaloneHTMLBuilder


def address(docname: str) -> str:
    """Page of a document: ``docs/inputs/README`` is ``inputs/index``."""
    folder, _, name = docname.removeprefix("docs/").rpartition("/")
    return f"{folder}/index" if name == "README" and folder else docname.removeprefix("docs/")


class ShortAddresses(StandaloneHTMLBuilder):
    """The HTML builder, with :func:`address` between a document and its page."""

    name = "html"

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        return super().get_target_uri(address(docname), typ)

    def get_output_path(self, page_name: str, /) -> Path:
        return super().get_output_path(address(page_name))


def setup(app):
    app.add_builder(ShortAddresses, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
