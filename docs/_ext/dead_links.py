"""Dead links of a built site: ``python docs/_ext/dead_links.py build/site`` prints one line each and then fails.

Every relative address has to be a file of the site, every anchor an id of the page that it names. What a page needs to
be read (scripts, styles, pictures) has to lie in the site too: it is read without a network.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src"), ("iframe", "src"), ("object", "data")}


class Page(HTMLParser):
    """What a page names: ids, addresses it links to, files that a browser loads to show it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if given.get("rel") not in ("canonical", "alternate"):
            self.loads += [given[name] for of, name in LOADED if of == tag and given.get(name)]


def dead_links(site: Path) -> list[str]:
    """A line per dead link: the page, the address, what is wrong with it."""
    files = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]  # templates of the theme
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in files}
    found = []
    for path, page in pages.items():
        for address in dict.fromkeys(page.links + page.loads):
            wrong = _wrong(address, path, pages, loaded=address in page.loads)
            found += [f"{path.relative_to(site)}: {address}: {wrong}"] if wrong else []
    return found


def _wrong(address: str, path: Path, pages: dict[Path, Page], loaded: bool) -> str | None:
    parts = urlsplit(address)
    if parts.scheme == "data":
        return None
    if parts.scheme or parts.netloc:
        return "is loaded from the network" if loaded else None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "no such file"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].ids:
        return "no such anchor"
    return None


if __name__ == "__main__":
    dead = dead_links(Path(sys.argv[1]).resolve())
    print("\n".join(dead))
    sys.exit(f"{len(dead)} dead links" if dead else 0)
