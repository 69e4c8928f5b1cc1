"""The page: well-formed, self-contained, escaped, reproducible, complete."""

import base64
import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import resources

import pandas as pd
import pytest
from fabricate import DIMS, fabricate

from mtlbio.errors import InputError
from mtlbio.report.inputs import OPTIONAL
from mtlbio.report.page import report
from mtlbio.report.palette import VERDICTS
from mtlbio.tables import read_table, write_table

VOID = {"meta", "br", "link", "img", "hr", "input", "path", "use", "image", "rect"}


class Checker(HTMLParser):
    """Collects tags, attributes and text, and complains where tags do not nest."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.ids, self.references, self.text = [], [], [], [], []
        self.rows: list[list] = []  # class of each article, and its elements, one below the other

    def handle_starttag(self, tag, attrs):
        self.note(tag, attrs)
        if self.open[-1:] == ["article"]:
            self.rows[-1][1] += 1
        self.rows += [[dict(attrs)["class"], 0]] if tag == "article" else []
        if tag not in VOID or tag in ("path", "rect", "use", "image"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.note(tag, attrs)

    def note(self, tag, attrs):
        self.seen.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} carries a handler {name}"
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "data", "srcset"):
                self.references.append((tag, value))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def parsed(page):
    checker = Checker()
    checker.feed(page)
    checker.close()
    return checker


def test_tags_nest_and_identifiers_are_unique(parsed):
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))


def test_nothing_comes_from_elsewhere(parsed, page):
    assert "iframe" not in parsed.seen and "link" not in parsed.seen
    assert [r for r in parsed.references if not r[1].startswith(("#", "data:image/png"))] == []
    targets = {value[1:] for _, value in parsed.references if value.startswith("#")}
    assert targets <= set(parsed.ids)
    assert "@import" not in page and "http://" not in page and "https://" not in page
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(parsed.ids)


def test_user_strings_are_text_everywhere(parsed, page):
    assert page.count("<script") == 2  # the names of what was measured, and the page's own
    shown = "".join(parsed.text)
    evil = "<script>alert('x')</script>"
    assert f"Lupus, two visits per donor {evil}" in shown  # title
    assert f"RSAD2{evil}" in shown  # gene
    assert f"nearly all SLE donors are from Leeds (VIF 5.2).{evil}" in shown  # sentence of the audit
    assert "plate1<script>" in shown or "plate1<scrip" in shown  # level, as a tick of an SVG


def test_figures_are_files_too(reported):
    folder = reported[1] / "figures"
    stems = {p.stem for p in folder.glob("*.svg")}
    assert stems == {p.stem for p in folder.glob("*.png")}
    assert {"card_z02", "card_z03", "shares", "ablation_disease", "performance_age", "training_reconstruction"} <= stems
    assert "<script" not in "".join(p.read_text(encoding="utf-8") for p in folder.glob("*.svg"))


def test_every_verdict_kind_is_there_and_cards_cover_the_telling_ones(page):
    for verdict in VERDICTS:
        assert f'<span class="badge {verdict}">' in page
    cards = re.findall(r'<article class="panel card (\w+)" id="card-(z\d+)"', page)
    assert [verdict for verdict, _ in cards] == [
        "biology", "technical", "technical", "confounder", "mixed", "not_identifiable",
    ]  # fmt: skip
    assert [dim for _, dim in cards][:3] == ["z02", "z04", "z03"]  # the shortcut, then the bin
    assert page.count('<tr id="row-z') == len(DIMS)
    assert f"{len(cards)} of {len(DIMS)} dimensions have a card" in page and 'id="verdicts"' in page
    rows = re.findall(r'<details class="panel row (\w+)" id="card-(z\d+)"', page)
    assert sorted(dim for _, dim in (*cards, *rows)) == sorted(DIMS)
    assert [verdict for verdict, _ in rows] == ["biology", "confounder"] + ["underpowered"] * 2 + ["unused"] * 2


def test_only_the_pages_own_script_may_run(page):
    policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)[0]
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ") and f"script-src 'sha256-{digest}'" in policy.replace("&#39;", "'")
    assert script == (resources.files("mtlbio.report") / "templates/page.js").read_text(encoding="utf-8")
    assert not [word for word in ("http", "fetch(", "XMLHttp", "innerHTML", "eval(", "localStorage") if word in script]


def test_without_the_script_everything_is_shown(parsed, page):
    """What only works with it is hidden until it runs, and nothing else is."""
    body = page.split("</head>")[1].split("<script")[0]
    hidden = re.findall(r"<(\w+)[^>]* hidden[ >]", body)
    assert set(hidden) == {"div", "span", "button"}
    assert hidden.count("div") == 1 and hidden.count("button") == hidden.count("span") == len(DIMS)
    assert '<div class="tools" id="tools" hidden' in body


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(parsed, page):
    assert page.index('class="skip" href="#dimensions"') < page.index("<h1>")
    assert "tabindex" in page and not re.findall(r'tabindex="[1-9]', page)
    assert '<label for="find">' in page and '<input type="search" id="find"' in page
    assert page.count('type="button"') == page.count("<button") and ":focus-visible" in page
    assert len(re.findall(r'<button type="button" class="(\w+)" data-verdict="\1" aria-pressed="false">', page)) == 7
    assert 'role="status" aria-live="polite"' in page


def test_every_card_has_the_rows_that_its_grid_has(parsed, page):
    """One more, and the last two lie upon each other."""
    (rows,) = set(re.findall(r"grid-row: span (\d+)", page))
    found = [count for name, count in parsed.rows if name.startswith("panel card")]
    assert found == 6 * [int(rows)]
    assert "Estimated cell types that it goes with: monocytes 42 %" in page


def test_numbers_of_a_card_are_those_of_the_table(reported, page):
    row = read_table(reported[1] / "verdicts.tsv").set_index("dim").loc["z03"]
    card = page[page.index('id="card-z03"') :].split("</article>")[0]
    assert f"{row['share_batch']:.0%}".replace("%", " %") in card
    assert f"<b>{row['effect_disease']:.2f}</b>".replace("-", "−") in card
    assert row["removal_disease"] in card and "z03 follows batch (share 0.82)" in card


def test_loud_about_the_shortcut_and_honest_about_errors(page):
    assert page.count("! shortcut") == 1
    assert "Shortcut: z04 follows batch, which is technical" in page
    assert "This run carries no calibrated error rate" in page
    assert "treat as not predictable from these data" in page


def test_small_and_readable_on_a_phone(page):
    assert len(page.encode()) < 3_000_000
    assert 'name="viewport" content="width=device-width' in page and "@media print" in page
    assert page.count('role="img"') == page.count("<svg") == page.count("<desc")


def test_same_run_gives_the_same_bytes(reported, tmp_path):
    run, folder = reported
    before = {p.name: p.read_bytes() for p in (folder / "figures").iterdir()} | {
        "page": (folder / "report.html").read_bytes()
    }
    report(run, folder)
    after = {p.name: p.read_bytes() for p in (folder / "figures").iterdir()} | {
        "page": (folder / "report.html").read_bytes()
    }
    assert [name for name in before if before[name] != after.get(name)] == [] and before.keys() == after.keys()


@pytest.fixture
def blank(monkeypatch):
    """Empty figures in place of the drawn ones, where a test is about the text."""
    from mtlbio.report import figures
    from mtlbio.report.svg import new_figure

    planned = figures.plan
    monkeypatch.setattr(
        figures, "plan", lambda *given: {stem: lambda: (new_figure(1, 1), "t", "d") for stem in planned(*given)}
    )


def test_calibrated_rate_is_shown_and_missing_tables_are_named(blank, tmp_path):
    run = fabricate(tmp_path, donors=40)
    for file, _, _ in OPTIONAL.values():
        (tmp_path / file).unlink(missing_ok=True)
    table = read_table(tmp_path / "verdicts.tsv").drop(columns=["stability", "why"])
    table["error_rate"] = [0.031 if v == "biology" else float("nan") for v in table["verdict"]]
    write_table(table, tmp_path / "verdicts.tsv")
    report(run, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Of verdicts like this one, 3.1 in 100 were wrong on planted cohorts." in text
    assert "carries no calibrated error rate" not in text
    for name in ("metrics.tsv", "history.tsv", "qc.tsv", "probing/audit.tsv", "probing/enrichment.tsv"):
        assert f"No {name} in this run" in text
    assert not list((tmp_path / "figures").glob("training_*"))


def test_wrong_verdict_is_one_clear_line(tmp_path):
    run = fabricate(tmp_path, donors=20)
    table = read_table(tmp_path / "verdicts.tsv")
    table.loc[0, "verdict"] = "batchy"
    write_table(table, tmp_path / "verdicts.tsv")
    with pytest.raises(InputError, match="verdict batchy unknown; valid: biology, technical"):
        report(run, tmp_path)
    (tmp_path / "verdicts.tsv").unlink()
    with pytest.raises(InputError, match="verdicts.tsv: no such file"):
        report(run, tmp_path)


def test_torch_is_not_imported():
    code = "import mtlbio.report.page, mtlbio.report.figures, mtlbio.report.context, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_unused_only_still_makes_a_page(blank, tmp_path):
    run = fabricate(tmp_path, donors=20)
    table = read_table(tmp_path / "verdicts.tsv")
    table["verdict"], table["driver"] = "unused", pd.NA
    write_table(table, tmp_path / "verdicts.tsv")
    report(run, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Of 12 latent dimensions, 12 are unused; none could be affirmed as biology." in text
    assert text.count('class="panel card unused"') == run.report.cards
