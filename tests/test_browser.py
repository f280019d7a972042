"""The published site in a real browser: every kind of page, search, map, keyboard, phone, print; axe; nothing from outside.

`make test-browser` installs what these tests need and runs them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browsers import Browser, violations
from tests.test_sites import FHSH, FRONT, KINDS, statements, target

pytestmark = pytest.mark.browser
SAMPLE = (*FRONT, *KINDS, "disease/MONDO_0009904")


def test_the_watch_sees_what_it_is_to_see(browser: Browser) -> None:
    """A console error, a request that leaves the site, a missing file and an inaccessible picture do not pass unseen."""
    page = browser.page("index")
    page.route("https://example.org/**", lambda route: route.abort())
    page.evaluate("console.error('a complaint'); document.body.append(Object.assign(new Image(), {src: 'none.png'}))")
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://example.org/a.png'}))")
    page.wait_for_timeout(300)
    told = "\n".join(browser.complaints)
    for part in ("console: a complaint", "404: ", "request: https://example.org/a.png"):
        assert part in told
    assert any(v.startswith("image-alt") for v in violations(page))
    page.context.close()


@pytest.mark.parametrize("name", SAMPLE)
def test_axe_finds_nothing(clean: Browser, name: str) -> None:
    assert violations(clean.page(name)) == []


@pytest.mark.parametrize("name", [FHSH, "map", "search?q=magnesium", "index", "publication/ihe-espe-hrp0082", "query/which-genes"])
def test_axe_finds_nothing_in_the_dark_on_a_phone_with_all_evidence_open(clean: Browser, name: str) -> None:
    page = clean.page(name, width=390, height=844, dark=True)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert violations(page) == []


@pytest.mark.parametrize("name", SAMPLE)
def test_every_internal_link_of_the_page_is_there(clean: Browser, site: Path, name: str) -> None:
    page = clean.page(name)
    links = page.eval_on_selector_all("a[href]", "found => found.map(a => new URL(a.getAttribute('href'), document.baseURI).href)")
    inside = {link.removeprefix(clean.address) for link in links if link.startswith(clean.address)}
    assert len(inside) > 5
    for link in inside:
        path, section = target("index.html", link)
        assert (site / path).is_file(), link
        if path == "ask.html":
            continue
        assert not section or section in statements(site)[path], link


@pytest.mark.parametrize("name", SAMPLE)
def test_a_page_never_scrolls_sideways(clean: Browser, name: str) -> None:
    """At 320 pixels (WCAG 1.4.10) only tables and drawings scroll, within themselves."""
    page = clean.page(name, width=320, height=640)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("FHSH", FHSH), ("homg1", FHSH), ("OMIM:602014", FHSH), ("omim 602014", FHSH), ("ORPHA:30924", FHSH), ("MONDO_0011176", FHSH),
        ("intestinal hypomagnesemia 1", FHSH), ("gitelman", "disease/MONDO_0009904"), ("TRPM6", "gene/HGNC_17995"), ("chak2", "gene/HGNC_17995"),
        ("low blood magnesium", "phenotype/HP_0002917"), ("seizures", "phenotype/HP_0001250"), ("2601-3", "test/LOINC_2601-3"),
        ("12032570", "publication/PMID_12032570"), ("http://purl.obolibrary.org/obo/MONDO_0011176", FHSH),
        ("https://identifiers.org/hgnc/17995", "gene/HGNC_17995"), ("https://pubmed.ncbi.nlm.nih.gov/12032570/", "publication/PMID_12032570"), ("which genes cause", "query/which-genes"), ("serum magnesium", "variable/serum-magnesium"),
        ("hypomagnesaemia", "phenotype/HP_0002917"), ("Gitelman's syndrome", "disease/MONDO_0009904"), ("Gitelman\u2019s syndrome", "disease/MONDO_0009904"),
        ("gitelmans", "disease/MONDO_0009904"), ("HOMG 3", "disease/MONDO_0009550"),
    ],
)  # fmt: skip
def test_search_finds_it_first(clean: Browser, asked: str, path: str) -> None:
    page = clean.page("index")
    page.fill("main input[name=q]", asked)
    page.press("main input[name=q]", "Enter")
    page.wait_for_selector("#found a")
    hits = page.eval_on_selector_all("#found a", "found => found.slice(0, 3).map(a => a.href)")
    assert f"{clean.address}{path}.html" in hits[:1], hits
    page.click("#found a")
    assert page.url == f"{clean.address}{path}.html"


@pytest.mark.parametrize("asked", ["evidence", "label", "disease", "magnesium"])
def test_vocabulary_and_shapes_come_last(clean: Browser, asked: str) -> None:
    page = clean.page(f"search?q={asked}")
    page.wait_for_selector("#found a")
    kinds = page.eval_on_selector_all("#found small", "found => found.map(s => s.textContent.trim().split(' · ')[0])")
    order = ["Class of the vocabulary", "Term of the vocabulary", "Relation", "Shape"]
    groups = [(kind in order) + (kind == "Shape") for kind in kinds]
    assert groups == sorted(groups), kinds


def test_search_says_when_nothing_bears_the_name(clean: Browser) -> None:
    page = clean.page("search")
    page.fill("#q", "zzzyyy")
    assert page.inner_text("#count") == "Nothing bears that name."
    page.fill("#q", "tetany")
    assert "found" in page.inner_text("#count")
    assert page.locator("#found li").count() > 0


def test_search_works_from_a_folder_without_a_server(browser: Browser, site: Path) -> None:
    context = browser.chromium.new_context()
    page = context.new_page()
    page.goto(f"{site.as_uri()}/search.html?q=FHSH")
    page.wait_for_selector("#found a")
    page.click("#found a")
    assert page.title().startswith("intestinal hypomagnesemia 1")
    context.close()


def test_the_map_shows_the_places_of_a_gene_and_leads_to_it(clean: Browser) -> None:
    page = clean.page("map")
    trpm6 = page.locator(".atlas a[data-gene=TRPM6]")
    assert trpm6.count() >= 2
    assert page.locator(".atlas .seg.on").count() == 0
    trpm6.first.hover()
    assert page.locator(".atlas .seg.on").count() == trpm6.count()
    assert page.locator(".atlas .seg.off").count() > 0
    page.mouse.move(1, 1)
    assert page.locator(".atlas .seg.on").count() == 0
    trpm6.first.focus()
    assert page.locator(".atlas .seg.on").count() == trpm6.count()
    page.keyboard.press("Enter")
    page.wait_for_url("**/gene/HGNC_17995.html")
    assert page.inner_text("h1") == "TRPM6"


def test_a_link_to_a_statement_opens_its_evidence(clean: Browser) -> None:
    for script in (True, False):
        page = clean.page(f"{FHSH}#fhsh-seizure", script=script)
        assert page.locator("#fhsh-seizure a").first.is_visible()
    page = clean.page("claim/fhsh-seizure")
    page.wait_for_url("**/disease/MONDO_0011176.html#fhsh-seizure")


def test_two_clicks_lead_from_a_statement_to_the_publication(clean: Browser) -> None:
    page = clean.page("disease/MONDO_0009550")
    page.click(".said summary >> nth=0")
    page.click(".said details[open] a >> nth=0")
    assert "/publication/" in page.url
    assert page.locator("dt:has-text('the publication itself') + dd").inner_text()
    page = clean.page(FHSH)  # too heavy for both: straight to the source, or to its page
    page.click("text=Seizures occur in FHSH")
    ways = page.eval_on_selector_all("#fhsh-seizure a", "found => found.map(a => a.getAttribute('href'))")
    assert ways and all(way.startswith(("https://", "../publication/")) for way in ways)
    assert sum(way.startswith("https://") for way in ways) > 2


def test_the_keyboard_is_enough(clean: Browser) -> None:
    page = clean.page(FHSH)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    summary = page.locator(".said summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert summary.evaluate("s => s.parentElement.open")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('li') !== null && document.activeElement.href !== ''")


def test_pages_are_whole_without_script(clean: Browser) -> None:
    page = clean.page(FHSH, script=False)
    assert page.locator(".bars svg").count() > 5
    assert page.locator("svg.mechanism").is_visible()
    page.click("text=Seizures occur in FHSH")
    assert page.locator("#fhsh-seizure").is_visible()


def test_paper_shows_all_evidence(clean: Browser) -> None:
    page = clean.page(FHSH)
    page.emulate_media(media="print")
    assert page.locator("header nav").is_hidden()
    assert page.locator("#fhsh-seizure").is_visible()
    assert page.locator("footer .notice").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf(format="A4")) > 50_000


def test_the_first_paint_waits_for_no_script(clean: Browser) -> None:
    page = clean.page(FHSH)
    blocking = page.evaluate("[...document.scripts].filter(s => s.src && !s.defer && !s.async).length")
    assert blocking == 0
    painted = page.evaluate(
        "new Promise(r => new PerformanceObserver(l => r(l.getEntries().map(e => e.name))).observe({type: 'paint', buffered: true}))"
    )
    assert "first-contentful-paint" in painted
