"""The layout: idempotent, lossless, one-line diffs."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, RdfFormat, Store, Triple, parse

from hypomag import prefixes
from hypomag.errors import InputError, SyntaxProblem
from hypomag.formatting import XSD, canonical_decimal, formatted, turtle

TABLE = {"ex": "https://example.org/", "xsd": XSD}
local = st.text("abcXYZ019.-_~/%é", min_size=1, max_size=8)
iris = local.map(lambda s: NamedNode("https://example.org/" + s.replace("%", "%25")))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
literals = st.one_of(
    texts.map(Literal),
    texts.map(lambda t: Literal(t, language="en")),
    st.integers().map(lambda n: Literal(str(n), datatype=NamedNode(XSD + "integer"))),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(lambda d: Literal(f"{d:f}", datatype=NamedNode(XSD + "decimal"))),
    st.booleans().map(lambda b: Literal(str(b).lower(), datatype=NamedNode(XSD + "boolean"))),
    st.just(Literal("2026-11-22", datatype=NamedNode(XSD + "date"))),
)
graphs = st.lists(st.builds(Triple, iris, iris, st.one_of(iris, literals)), max_size=12)


def canonical(triple: Triple) -> Triple:
    term = triple.object
    if isinstance(term, Literal) and term.datatype.value == XSD + "decimal":
        term = Literal(canonical_decimal(term.value), datatype=term.datatype)
    return Triple(triple.subject, triple.predicate, term)


@given(graphs)
def test_what_is_written_reads_back(triples: list[Triple]) -> None:
    text = turtle(triples, TABLE)
    assert {q.triple for q in parse(text, format=RdfFormat.TURTLE)} == {canonical(t) for t in triples}


@given(graphs)
def test_formatting_twice_changes_nothing(triples: list[Triple]) -> None:
    once = turtle(triples, TABLE)
    assert formatted(once, "text", TABLE) == once


@given(graphs, st.randoms())
def test_order_of_input_means_nothing(triples: list[Triple], random) -> None:  # type: ignore[no-untyped-def]
    mixed = triples * 2
    random.shuffle(mixed)
    assert turtle(mixed, TABLE) == turtle(triples, TABLE)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=12))
def test_decimals_are_written_as_the_store_keeps_them(number) -> None:  # type: ignore[no-untyped-def]
    store = Store()
    store.load(f'<a:a> <a:b> "{number:f}"^^<{XSD}decimal> .'.encode(), format=RdfFormat.TURTLE)
    (quad,) = store
    # The engine's decimals have 18 digits after the point; values of the graph have far fewer.
    assert quad.object.value == canonical_decimal(f"{number:f}")


def test_a_change_is_a_one_line_diff() -> None:
    before = '@prefix ex: <https://example.org/> .\n\nex:a\n    ex:p\n        "1" ,\n        "2" ;\n.\n'
    after = formatted(before.replace('"2" ;', '"2" , "3" ;'), "x", TABLE)
    changed = [d for d in difflib.ndiff(before.splitlines(), after.splitlines()) if d[0] in "+-"]
    assert changed == ['-         "2" ;', '+         "2" ,', '+         "3" ;']


def test_a_comment_on_top_is_kept() -> None:
    assert formatted("# why\n# so\n<a:a> <a:b> <a:c> .\n", "x", {}).startswith("# why\n# so\n\n<a:a>\n")


def test_a_blank_node_is_refused_with_the_name_of_the_file() -> None:
    with pytest.raises(InputError, match=r"^x\.ttl: a blank node"):
        formatted("<a:a> <a:b> [] .", "x.ttl", {})


@pytest.mark.parametrize(("text", "place"), [("<a:a> <a:b> \n foo:x .", "x.ttl:2:2"), ('<a:a> <a:b> "open .', "x.ttl:1")])
def test_a_syntax_error_tells_its_place(text: str, place: str) -> None:
    with pytest.raises(SyntaxProblem) as raised:
        formatted(text, "x.ttl", {})
    assert raised.value.message.startswith(place)


def test_only_used_prefixes_are_declared() -> None:
    text = turtle([Triple(NamedNode("https://example.org/a"), NamedNode("a:p"), Literal("x"))], prefixes.read() | TABLE)
    assert text.count("@prefix") == 1
