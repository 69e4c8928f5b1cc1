"""What the site makes of docstrings, of addresses and of the command line."""

import commands
import docstrings
import joined_output
import pytest


def test_the_page_of_commands_is_what_the_command_line_says():
    page = commands.page()
    assert commands.PAGE.read_text(encoding="utf-8") == page, "run `make generated`"
    assert page.count("\n## `mtlbio ") == page.count("\n```console\nmtlbio ") > 10


def test_a_meaning_beside_its_parameter_goes_below_it():
    lines = """Do it.

Parameters
----------
run : whose model predicts
    and more
profiles, embeddings : of chains: optional
**changes : fields

Returns
-------
Path : not broken""".splitlines()
    broken = docstrings.broken(lines)
    assert broken[4:10] == [
        "run",
        "    whose model predicts",
        "    and more",
        "profiles, embeddings",
        "    of chains: optional",
        "**changes",
    ]
    assert broken[-1] == "Path : not broken" and len(broken) == len(lines) + 3


def test_what_a_command_printed_is_one_piece_per_stream():
    blocks = [("stdout", "one li"), ("stderr", "Note"), ("stdout", "ne\ntwo"), ("stderr", " well\n")]
    outputs = [{"output_type": "stream", "name": name, "text": text} for name, text in blocks]
    table = {"output_type": "execute_result", "data": {}}
    found = joined_output.joined([*outputs[:2], table, *outputs[2:]])
    assert [output.get("text") for output in found] == ["one line\ntwo", "Note well\n", None]


@pytest.mark.parametrize(
    "docname, page",
    [
        ("docs/index", "index"),
        ("docs/verdicts/biology", "verdicts/biology"),
        ("docs/inputs/README", "inputs/index"),
        ("config/README", "config/index"),
        ("CHANGELOG", "CHANGELOG"),
        ("genindex", "genindex"),
    ],
)
def test_pages_stand_where_one_looks_for_them(docname, page):
    pytest.importorskip("sphinx")
    from short_addresses import address

    assert address(docname) == page
