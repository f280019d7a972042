"""The page that asks, in a real browser: the same rows as the embedded engine, and everything that a visitor does with them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from pyoxigraph import Literal, Store

from hypomag import asking, frontends, queries, results, sources
from tests import servers
from tests.browsers import Browser, violations
from tests.conftest import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.skipif(frontends.find() is None, reason="make frontend builds the page that asks")]
ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . FILTER(?a != ?d) }"
DONE = "#state:text-matches('(rows?|triples?|yes|no) in [0-9.]+ s$')"
NAMES = sorted(queries.catalogue(sources.Sources(ROOT)))


def rows(text: str) -> list[dict[str, Any]]:
    return json.loads(text)["results"]["bindings"]


def ours(store: Store, text: str, form: str = "json") -> str:
    return results.write(queries.run(store, text), form)


def taken(page: Any, how: str) -> bytes:
    """What the button downloads."""
    with page.expect_download() as found:
        page.click(f"#{how}")
    return Path(found.value.path()).read_bytes()


def asked(browser: Browser, text: str, **more: Any) -> Any:
    """The page with a query of ours, answered."""
    page = browser.page(f"ask#query={quote(text)}", **more)
    page.wait_for_selector(DONE)
    return page


def write(page: Any, text: str) -> None:
    """Replace what the editor holds as a person does."""
    page.click(".cm-content")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


@pytest.fixture(scope="module")
def desk(browser: Browser) -> Any:
    """One page for many questions, as a visitor has it."""
    page = browser.page("ask")
    page.wait_for_selector("html[data-ready]")
    yield page
    page.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_question_has_the_rows_of_the_embedded_engine(
    browser: Browser, desk: Any, store: Store, home: sources.Sources, name: str
) -> None:
    desk.click(f"#questions a[data-name={name}]")
    desk.wait_for_selector(DONE)
    assert desk.input_value("#form input >> nth=0") == ""
    text = queries.catalogue(home)[name].text
    expected = rows(ours(store, text))
    assert rows(taken(desk, "json").decode()) == expected
    assert desk.inner_text("#state").startswith(f"{len(expected):,} row")
    assert desk.locator("#panel tbody tr").count() == min(len(expected), 200)
    assert browser.complaints == []


@pytest.mark.parametrize("name", ["which-genes", "hallmark-findings", "doses"])
def test_csv_is_that_of_the_embedded_engine(clean: Browser, store: Store, home: sources.Sources, name: str) -> None:
    page = clean.page(f"ask#name={name}")
    page.wait_for_selector(DONE)
    assert taken(page, "csv").decode() == ours(store, queries.catalogue(home)[name].text, "csv")


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("which-genes", "disease", "FHSH"), ("which-genes", "gene", "trpm6"), ("which-genes", "gene", "HGNC:17995"), ("which-genes", "supporting", "3"),
        ("hallmark-findings", "phenotype", "http://purl.obolibrary.org/obo/HP_0001250"), ("hallmark-findings", "disease", "OMIM:602014"), ("doses", "disease", "Gitelman syndrome"),
    ],
)  # fmt: skip
def test_a_column_is_fixed_as_bind_does(clean: Browser, store: Store, home: sources.Sources, name: str, column: str, value: str) -> None:
    page = clean.page("ask")
    page.click(f"#questions a[data-name={name}]")
    page.wait_for_selector(DONE)
    everything = rows(taken(page, "json").decode())
    page.click("#columns summary")
    page.fill(f"#form input[name={column}]", value)
    page.press(f"#form input[name={column}]", "Enter")
    page.wait_for_selector("#fixed:text('1 fixed')")
    page.wait_for_selector(DONE)
    text = queries.bound(queries.catalogue(home)[name].text, {column: asking.term(store, value)})
    expected = rows(ours(store, text))
    assert 0 < len(expected) < len(everything)
    assert rows(taken(page, "json").decode()) == expected


def test_the_form_offers_the_values_of_the_answer(clean: Browser, store: Store, home: sources.Sources) -> None:
    """A literal with a language too is fixed by what the table shows."""
    page = clean.page("ask#name=hallmark-findings")
    page.wait_for_selector(DONE)
    page.click("#columns summary")
    offered = page.eval_on_selector_all("#values-disease option", "found => found.map(o => o.value)")
    assert "intestinal hypomagnesemia 1 (MONDO:0011176)" in offered
    note = page.eval_on_selector("#values-note option", "o => o.value")
    page.fill("#form input[name=note]", note)
    page.click("text=Ask with these")
    page.wait_for_selector(DONE)
    found = rows(taken(page, "json").decode())
    text = queries.bound(queries.catalogue(home)["hallmark-findings"].text, {"note": Literal(note, language="en")})
    assert found == rows(ours(store, text)) != []
    page.fill("#form input[name=note]", "")
    page.fill("#form input[name=disease]", "no such name")
    page.press("#form input[name=disease]", "Enter")
    assert "nothing in the graph bears the name" in page.inner_text("#problem")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?gene ?label WHERE { ?gene biolink:category biolink:Gene ; rdfs:label ?label } ORDER BY ?label ?gene",
        "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g",
        "SELECT ?s ?o FROM graph:shortcuts WHERE { ?s RO:0002200 ?o } ORDER BY ?s ?o",
        "SELECT ?s WHERE { ?s RO:0002200 ?nothing FILTER(false) }",
        "SELECT ?constructor WHERE { ?constructor a hm:Dose } ORDER BY ?constructor",  # what every object of the language has
    ],
)  # fmt: skip
def test_a_query_of_yours_sees_the_union_and_needs_no_prefix_lines(clean: Browser, store: Store, text: str) -> None:
    page = asked(clean, text)
    assert rows(taken(page, "json").decode()) == rows(ours(store, text))


def test_graphs_and_yes_or_no(clean: Browser, store: Store) -> None:
    text = "CONSTRUCT { ?a hm:leadsTo ?b } WHERE { ?a hm:leadsTo ?b . ?a rdfs:label ?label FILTER(CONTAINS(?label, 'magnesium')) }"
    page = asked(clean, text)
    assert taken(page, "json").decode() == ours(store, text, "nt")
    page.click("#tab-graph")
    assert page.locator(".network .edge").count() == len(ours(store, text, "nt").splitlines())
    page = asked(clean, "DESCRIBE HGNC:17995")
    assert taken(page, "json").decode() == ours(store, "DESCRIBE HGNC:17995", "nt")
    page = asked(clean, "ASK { HGNC:17995 rdfs:label 'TRPM6'@en }")
    answer = queries.run(store, "ASK { HGNC:17995 rdfs:label 'TRPM6'@en }")
    assert page.inner_text("#panel") == ("Yes." if answer else "No.")


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("SELECT ?x WHERE {\n  ?x a hm:Dose ;;; }\n} nonsense", "line 3", 3),
        ("SELECT ?x WHERE { ?x a hm:Dose ?y }", "line 1, column 36", 1),
        ("SELECT ?x WHERE {\n ?x a nowhere:Dose }", "the prefix nowhere: is neither declared nor ours", 2),
        ("INSERT DATA { <a:b> <a:c> <a:d> }", "only read here", 0),
        ("SELECT ?x { SERVICE <https://example.org/> { ?x ?y ?z } }", "another server", 0),
        (" ", "the query is empty", 0),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(clean: Browser, text: str, said: str, line: int) -> None:
    page = clean.page("ask")
    page.wait_for_selector("html[data-ready]")
    write(page, text)
    page.click("#run")
    page.wait_for_selector("#problem strong")
    assert said in page.inner_text("#problem")
    assert page.is_hidden("#answer")
    if line:
        assert page.evaluate("document.activeElement.id") == "editor"
        page.keyboard.insert_text("HERE")
        assert "HERE" in page.inner_text(f".cm-line >> nth={line - 1}")
    assert violations(page) == []


def test_an_endless_query_is_cancelled_and_the_next_one_answered(clean: Browser) -> None:
    page = clean.page(f"ask#query={quote(ENDLESS)}")
    page.wait_for_selector("html[data-ready]")
    page.wait_for_selector("#state:text('asking for 2 s')")
    for _ in range(2):
        start = time.monotonic()
        page.click("#cancel")
        page.wait_for_selector("#state:text('cancelled')")
        assert time.monotonic() - start < 2
        assert page.is_disabled("#cancel")
        page.click("#run")
        page.wait_for_selector("#state:text('asking for 1 s')")
    page.click("#questions a[data-name=which-genes]")  # another question takes the place of the endless one
    page.wait_for_selector(DONE)
    assert page.locator("#panel tbody tr").count() > 50


def test_a_link_holds_the_question_its_columns_and_nothing_is_sent(clean: Browser) -> None:
    page = clean.page("ask#name=which-genes")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.wait_for_selector(DONE)
    page.click("#columns summary")
    page.fill("#form input[name=gene]", "TRPM6")
    page.click("text=Ask with these")
    page.wait_for_selector(DONE)
    page.click("#share")
    page.wait_for_selector("#state:text('link copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    path, _, hash_ = link.partition("#")
    assert path == f"{clean.address}ask.html"
    assert parse_qs(hash_) == {"name": ["which-genes"], "bind.gene": ["HGNC:17995"]}
    answer = taken(page, "json")
    other = clean.page(f"ask#{hash_}")
    other.wait_for_selector(DONE)
    assert taken(other, "json") == answer
    assert other.input_value("#form input[name=gene]") == "HGNC:17995"
    write(other, "SELECT ?x { ?x a hm:Dose } ORDER BY ?x # ü & + %\n")
    other.click("#run")
    other.wait_for_selector("#state:text-matches('^[0-9,]+ rows in')")
    third = clean.page(f"ask#{other.url.partition('#')[2]}")
    third.wait_for_selector(DONE)
    assert "# ü & + %" in third.inner_text(".cm-content")
    assert taken(third, "json") == taken(other, "json")


def test_history_is_kept_here_and_forgotten_on_demand(clean: Browser) -> None:
    page = clean.page("ask")
    for name in ("which-genes", "doses", "which-genes"):
        page.click(f"#questions a[data-name={name}]")
        page.wait_for_selector(f"#questions a[data-name={name}][aria-current]")
        page.wait_for_selector(DONE)
    page.reload()
    page.wait_for_selector("html[data-ready]")
    page.click("#past summary")
    assert page.locator("#history li").count() == 2
    assert page.locator("#history li >> nth=0").inner_text().startswith("Which genes cause each disease")
    page.click("#history a >> nth=1")
    page.wait_for_selector("#questions a[data-name=doses][aria-current]")
    page.wait_for_selector(DONE)
    stored = page.evaluate("JSON.stringify(Object.entries(localStorage))")
    assert len(stored) < 2000, "questions, never answers"
    page.click("#forget")
    assert page.is_hidden("#past")
    assert page.evaluate("Object.values(localStorage)") == ["[]"]


def test_the_keyboard_is_enough(clean: Browser) -> None:
    page = clean.page("ask")
    page.wait_for_selector("html[data-ready]")
    page.focus("#find")
    page.keyboard.type("which-genes")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.name") == "which-genes"
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "editor":
            break
    page.keyboard.press("Control+a")
    page.keyboard.type("SELECT ?gene WHERE { ?gene biolink:category biolink:Gene . FILTER(?gene = TRPM6", delay=15)
    page.wait_for_selector(".cm-tooltip-autocomplete li[aria-selected]")
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")
    assert "?gene = HGNC:17995)" in page.inner_text(".cm-content")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#state:text-matches('^1 row in')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") != "editor"
    page.focus("#tab-table")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-table", "one row makes neither chart nor network"
    page.click("#questions a[data-name=which-genes]")
    page.wait_for_selector("#state:text-matches('^[0-9]{2,} rows in')")
    page.focus("#tab-table")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-chart"
    assert page.is_visible("svg.chart")
    page.keyboard.press("End")
    assert page.is_visible("svg.network")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "json"


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ("hm:Pheno", "hm:PhenotypeClaim"),
        ("gitelman syn", "MONDO:0009904"),
        ("?dis", "?disease"),
        ("OPTIO", "OPTIONAL"),
        ("bioli", "biolink:"),
    ],
)
def test_completion_knows_terms_names_prefixes_variables_and_words(clean: Browser, typed: str, chosen: str) -> None:
    page = clean.page("ask")
    page.wait_for_selector("html[data-ready]")
    write(page, "SELECT ?disease { ")
    page.keyboard.type(typed, delay=15)
    page.wait_for_selector(".cm-tooltip-autocomplete li[aria-selected]")
    page.wait_for_timeout(200)
    page.keyboard.press("Enter")
    assert page.inner_text(".cm-content").startswith(f"SELECT ?disease {{ {chosen}")


def test_the_chart_has_the_numbers_of_the_table(clean: Browser, store: Store) -> None:
    text = "SELECT ?kind (COUNT(*) AS ?n) WHERE { ?claim a ?kind ; hm:status ?status } GROUP BY ?kind ORDER BY DESC(?n) ?kind"
    page = asked(clean, text)
    page.click("#tab-chart")
    titles = page.eval_on_selector_all("svg.chart title", "found => found.map(t => t.textContent)")
    expected = [int(row["n"]["value"]) for row in rows(ours(store, text))]
    assert [int(t.rpartition(": ")[2]) for t in titles] == expected[:60]
    page.select_option(".choices select >> nth=1", label="number of rows")
    assert {t.rpartition(": ")[2] for t in page.eval_on_selector_all("svg.chart title", "found => found.map(t => t.textContent)")} == {"1"}


def test_the_network_leads_to_the_pages(clean: Browser, site: Path) -> None:
    page = clean.page("ask#name=which-genes&bind.gene=TRPM6")
    page.wait_for_selector(DONE)
    page.click("#tab-graph")
    found = page.eval_on_selector_all("svg.network a", "found => found.map(a => a.href.baseVal)")
    assert "gene/HGNC_17995.html" in found
    assert all((site / way).is_file() for way in found)
    page.click("svg.network a:has-text('TRPM6')")
    assert page.inner_text("h1") == "TRPM6"


def test_names_in_the_table_lead_to_pages_that_are_there(clean: Browser, site: Path) -> None:
    page = clean.page("ask#name=hallmark-findings&bind.disease=FHSH")
    page.wait_for_selector(DONE)
    found = set(page.eval_on_selector_all("#panel td a", "found => found.map(a => a.getAttribute('href'))"))
    assert len(found) > 20
    cells = page.eval_on_selector_all("#panel td", "found => found.map(td => getComputedStyle(td).display)")
    assert set(cells) == {"table-cell"}, "the styles of the site mean others"
    assert not [way for way in found if not way.startswith("http") and not (site / way).is_file()]


@pytest.mark.parametrize(("width", "height", "dark"), [(1280, 900, False), (1280, 900, True), (390, 844, True), (320, 640, False)])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(clean: Browser, width: int, height: int, dark: bool) -> None:
    page = clean.page("ask#name=which-genes&bind.polarity=present", width=width, height=height, dark=dark)
    page.wait_for_selector(DONE)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    for view in ("table", "chart", "graph"):
        page.click(f"#tab-{view}")
        assert violations(page) == [], view
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view
    write(page, "SELECT ?x { ?x a hm:")
    page.keyboard.press("Control+Space")
    page.wait_for_selector(".cm-tooltip-autocomplete li")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_from_a_folder_it_says_what_it_needs(browser: Browser, site: Path) -> None:
    context = browser.chromium.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(f"{site.as_uri()}/ask.html")
    assert "needs a web server" in page.inner_text("#refusal")
    assert page.is_hidden("#room")
    assert errors == []
    context.close()


def test_without_script_it_leads_to_the_answers_that_stand(clean: Browser) -> None:
    page = clean.page("ask", script=False)
    page.click("noscript a")
    assert page.url == f"{clean.address}query/index.html"


def test_each_question_leads_here(clean: Browser) -> None:
    page = clean.page("query/doses")
    page.click("text=Ask it in the browser")
    page.wait_for_selector(DONE)
    assert page.inner_text("#told h2") == page.inner_text("#questions a[aria-current]")


def test_a_missing_graph_is_told(browser: Browser) -> None:
    page = browser.page("index")
    page.route("**/hypomag.trig.gz", lambda route: route.fulfill(status=404))
    page.goto(f"{browser.address}ask.html#name=which-genes")
    page.wait_for_selector("#refusal:text('The graph could not be loaded')")
    page.context.close()


def test_an_unpacked_graph_is_taken_too(clean: Browser, site: Path) -> None:
    """Some hosts unpack .gz on the way and know no media type for WebAssembly."""
    page = clean.page("index")
    page.route("**/hypomag.trig.gz", lambda route: route.fulfill(body=(site / "download" / "hypomag.trig").read_bytes()))
    page.route(
        "**/engine.wasm",
        lambda route: route.fulfill(body=(site / "ask" / "engine.wasm").read_bytes(), content_type="application/octet-stream"),
    )
    page.goto(f"{clean.address}ask.html#name=which-genes")
    page.wait_for_selector(DONE)


def test_a_server_of_the_same_pages_is_asked_instead(clean: Browser, shelf: Path, store: Store, home: sources.Sources) -> None:
    """`hypomag serve` says in a header of this page where it answers; the page then offers it, and stops waiting when told."""
    with servers.served(shelf) as address:
        page = clean.chromium.new_context().new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.post_data or "") if request.method == "POST" else None)
        page.goto(f"{address}/ask.html")
        page.wait_for_selector("html[data-ready]")
        page.click("#run")  # in the page itself: the policy of the server lets the engine run
        page.wait_for_selector(DONE)
        assert asked == []
        page.select_option("#engine", "server")
        page.click("#run")
        page.wait_for_function("() => !document.querySelector('#state').textContent.startsWith('asking')")
        page.wait_for_selector(DONE)
        assert rows(taken(page, "json").decode()) == rows(ours(store, queries.catalogue(home)["which-genes"].text))
        assert len(asked) == 1
        write(page, "SELECT ?x { ?x a hm:Dose } ORDER BY ?x")
        page.click("#run")
        page.wait_for_selector("#state:text-matches('^[0-9]+ rows in')")
        assert asked[-1].startswith("PREFIX hm: ")
        write(page, "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }")
        page.click("#run")
        page.wait_for_selector("#state:text('asking for 1 s')")
        page.click("#cancel")
        page.wait_for_selector("#state:text('cancelled')")
        page.context.close()
