"""Pictures of the published site for people who judge it: wide and narrow, light and dark, paper; told one a line.

Run by `make screenshots`; needs Chromium and the group `browser` of the dependencies.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browsers import Quiet, served  # noqa: E402

OUT = ROOT / "screenshots"
FHSH = "disease/MONDO_0011176"
WIDE, NARROW = (1280, 900), (390, 844)
# Name, page, part of it (a selector, else the window), what it shows.
VIEWS = (
    ("front", "index", "", "the family as a tree, search"),
    ("disease", FHSH, "", "head of the disease page: gene, inheritance, onset, laboratory at a glance"),
    ("frequencies", FHSH, "#shows figure", "how often each finding was seen: n of m, Wilson interval, other cohorts, stated bands"),
    ("evidence", f"{FHSH}#fhsh-seizure", "", "a statement opened from a link: its lines of evidence"),
    ("mechanism", FHSH, "#works figure", "the mechanism as a signed graph"),
    ("neighbours", FHSH, "#neighbours .scroll", "laboratory values beside those of the neighbours"),
    ("limits", FHSH, "#diagnosis .scroll", "limits in both units"),
    ("conflicts", FHSH, "#conflicts", "what sources disagree on"),
    ("gitelman", "disease/MONDO_0009904", "#shows figure", "frequencies where bands are stated, not counted"),
    ("gene", "gene/HGNC_17995", "", "a gene: its diseases, places, variants"),
    ("finding", "phenotype/HP_0002917", "", "a finding that has claims of its own"),
    ("publication", "publication/ihe-espe-hrp0082", "", "a source: what it says of which entity, whom it studied"),
    ("question", "query/which-genes", "", "a question of the catalogue with its answer"),
    ("map", "map", "", "nephron and gut with the genes that act there"),
    ("search", "search?q=low%20blood%20magnesium", "", "search by an everyday word"),
    ("data", "data", "", "downloads with their hashes"),
)
# The page that asks needs a web server, and an answer before the picture is taken: name, question, tab, what it shows.
ASKED = (
    ("ask-table", "name=which-genes", "table", "the page that asks: questions, editor, form, the answer as a table"),
    ("ask-chart", "name=claims-by-kind", "chart", "the answer as bars"),
    ("ask-network", "name=which-genes", "graph", "the answer as a network whose names lead to their pages"),
)


def shoot(page: Page, site: Path, name: str, way: str, part: str, look: str) -> Path:
    """Take one picture of a page or of a part of it."""
    path, mark, rest = way.partition("?") if "?" in way else way.partition("#")
    page.goto("about:blank")
    page.goto(f"{site.as_uri()}/{path}.html{mark}{rest}")
    page.wait_for_timeout(150)
    place = OUT / f"{name}-{look}.png"
    if part:
        page.locator(part).first.screenshot(path=str(place))
    else:
        page.screenshot(path=str(place))
    return place


def main() -> None:
    """Publish the site of this checkout and take the pictures."""
    site = OUT / "site"
    subprocess.run([sys.executable, "-m", "hypomag", "publish", str(site), "--graph-dir", str(ROOT)], check=True)
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = os.environ.get("CHROMIUM") or next((w for w in map(shutil.which, names) if w), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for look, (width, height), scheme in (
            ("wide-light", WIDE, "light"),
            ("wide-dark", WIDE, "dark"),
            ("phone-light", NARROW, "light"),
            ("phone-dark", NARROW, "dark"),
        ):
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
            )
            page = context.new_page()
            for name, way, part, told in VIEWS:
                place = shoot(page, site, name, way, part, look)
                print(f"{place.relative_to(ROOT)}: {told}")
            if (site / "ask.html").is_file():
                with served(functools.partial(Quiet, directory=str(site))) as address:
                    for name, question, tab, told in ASKED:
                        page.goto("about:blank")
                        page.goto(f"{address}/ask.html#{question}")
                        page.wait_for_selector("#answer:not([hidden])")
                        page.click(f"#tab-{tab}")
                        place = OUT / f"{name}-{look}.png"
                        page.screenshot(path=str(place), full_page=True)
                        print(f"{place.relative_to(ROOT)}: {told}")
            context.close()
        page = browser.new_page()
        page.goto(f"{site.as_uri()}/{FHSH}.html")
        page.pdf(path=str(OUT / "disease-print.pdf"), format="A4")
        print("screenshots/disease-print.pdf: the disease page on paper, all evidence open")
        browser.close()


if __name__ == "__main__":
    main()
