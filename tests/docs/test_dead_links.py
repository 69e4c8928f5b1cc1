"""Dead links of a site are found: files, anchors, and what would be loaded from elsewhere."""

import subprocess
import sys

import dead_links
import pytest

GOOD = '<h1 id="top">T</h1><a href="b/c.html#d%20e">x</a><a href="#top">y</a><a href="https://example.org/z">z</a>'


@pytest.fixture
def site(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "_static").mkdir()
    (tmp_path / "index.html").write_text(GOOD)
    (tmp_path / "b/c.html").write_text('<p id="d e"></p><a href="../index.html">up</a><img src="../_static/p.png?v=1">')
    (tmp_path / "_static/p.png").touch()
    (tmp_path / "_static/template.html").write_text('<a href="{{ later }}">not a page</a>')
    return tmp_path


def test_a_site_whose_links_resolve_passes(site):
    assert dead_links.dead_links(site) == []


@pytest.mark.parametrize(
    "line, wrong",
    [
        ('<a href="b/none.html">x</a>', "b/none.html: no such file"),
        ('<a href="b">x</a>', "b: no such file"),
        ('<a href="b/c.html#none">x</a>', "b/c.html#none: no such anchor"),
        ('<a href="#none">x</a>', "#none: no such anchor"),
        ('<img src="_static/none.png">', "_static/none.png: no such file"),
        (
            '<script src="https://e.org/m.js"></script>',
            "https://e.org/m.js: is loaded from the network",
        ),
        (
            '<link rel="stylesheet" href="//e.org/a.css">',
            "//e.org/a.css: is loaded from the network",
        ),
    ],
)
def test_a_dead_link_is_one_line_and_an_error(site, line, wrong):
    (site / "index.html").write_text(GOOD + line)
    assert dead_links.dead_links(site) == [f"index.html: {wrong}"]
    done = subprocess.run([sys.executable, dead_links.__file__, site], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, f"index.html: {wrong}\n", "1 dead links\n")
