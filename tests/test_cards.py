"""Cards: any name finds the entity; the card says what the graph says, with what disputes it."""

from __future__ import annotations

import json

import pytest
from pyoxigraph import Store

from hypomag import cards, names, prefixes
from hypomag.errors import AmbiguousName, UnknownName
from tests.conftest import hypomag

FHSH = prefixes.expand("MONDO:0011176")
TRPM6 = "http://identifiers.org/hgnc/17995"


@pytest.mark.parametrize(
    ("name", "iri"),
    [
        ("FHSH", FHSH), ("hsh", FHSH), ("HOMG1", FHSH), ("OMIM:602014", FHSH), ("MIM 602014", FHSH), ("MIM:602014", FHSH),
        ("ORPHA:30924", FHSH), ("Orphanet_30924", FHSH), ("orphanet:30924", FHSH), ("MONDO:0011176", FHSH), ("MONDO_0011176", FHSH),
        ("mondo:0011176", FHSH), ("https://omim.org/entry/602014", FHSH), ("https://www.omim.org/entry/602014", FHSH),
        ("http://www.orpha.net/ORDO/Orphanet_30924", FHSH), ("http://purl.obolibrary.org/obo/MONDO_0011176", FHSH),
        ("http://identifiers.org/mondo/MONDO:0011176", FHSH), ("https://identifiers.org/mondo:0011176", FHSH),
        ("https://bioregistry.io/mondo:0011176", FHSH), ("intestinal hypomagnesemia 1", FHSH), ("UMLS:C1865974", FHSH),
        ("Familial Hypomagnesemia with secondary hypocalcemia", FHSH),
        ("Gitelman", "http://purl.obolibrary.org/obo/MONDO_0009904"), ("Gitelman syndrome", "http://purl.obolibrary.org/obo/MONDO_0009904"),
        ("ORPHA:358", "http://purl.obolibrary.org/obo/MONDO_0009904"), ("Bartter 3", "http://purl.obolibrary.org/obo/MONDO_0011822"),
        ("TRPM6", TRPM6), ("trpm6", TRPM6), ("HGNC:17995", TRPM6), ("https://identifiers.org/hgnc:17995", TRPM6),
        ("https://bioregistry.io/hgnc:17995", TRPM6), ("https://www.genenames.org/data/gene-symbol-report/#!/hgnc_id/HGNC:17995", TRPM6),
        ("CHAK2", TRPM6),
        ("serum magnesium", "https://w3id.org/hypomag/variable/serum-magnesium"),
        ("LOINC:2601-3", "https://loinc.org/2601-3"), ("http://loinc.org/rdf/2601-3", "https://loinc.org/2601-3"),
        ("seizures", prefixes.expand("HP:0001250")), ("PMID:4345201", prefixes.expand("PMID:4345201")),
    ],
)  # fmt: skip
def test_any_spelling_finds_it(store: Store, name: str, iri: str) -> None:
    assert names.resolve(store, name).value == iri


def test_34527_is_not_fhsh(store: Store) -> None:
    assert names.resolve(store, "ORPHA:34527").value != FHSH


def test_an_unknown_name_gets_suggestions(store: Store) -> None:
    with pytest.raises(UnknownName) as raised:
        names.resolve(store, "hypomagnesemi")
    assert "hypomagnesemia" in str(raised.value.remedy).lower()


def test_an_ambiguous_name_gets_the_choices(store: Store) -> None:
    shared = next((label for label in ("magnesium sulfate", "magnesium hydroxide", "tetany") if len(names.bearers(store, label)) > 1), None)
    if shared is None:  # make one
        from pyoxigraph import Literal, NamedNode, Quad

        copy = Store()
        for iri in ("a:1", "a:2"):
            copy.add(Quad(NamedNode(iri), names.RDFS_LABEL, Literal("twin", language="en"), NamedNode("a:g")))
        store, shared = copy, "twin"
    with pytest.raises(AmbiguousName) as raised:
        names.resolve(store, shared)
    assert str(raised.value.remedy).startswith("say which: ")


def test_the_card_of_fhsh_says_what_a_clinician_asks(store: Store) -> None:
    card = cards.card(store, "FHSH")
    headings = [heading for heading, _ in card.sections()]
    for wanted in ("Cause", "Inheritance", "Findings", "Laboratory", "Diagnosis", "Treatment", "Outlook", "Not known"):
        assert wanted in headings
    text = card.as_text()
    assert "27 of 28" in text
    assert "disputed" in text
    assert "no medical advice" in text
    absent = [s for s in card.statements if s.polarity == "absent"]
    assert absent
    assert all("not found" in text for _ in absent)


@pytest.mark.parametrize("name", ["TRPM6", "serum magnesium", "LOINC:2601-3", "HP:0001250", "PMID:4345201", "MAXO:0001149", "CHEBI:18420"])
def test_cards_of_other_kinds_have_claims(store: Store, name: str) -> None:
    card = cards.card(store, name)
    assert card.statements
    assert all(s.lines for s in card.statements)


def test_the_json_holds_every_line(store: Store) -> None:
    card = cards.card(store, "FHSH")
    body = json.loads(hypomag("show", "FHSH", "--format", "json").stdout)
    assert len(body["statements"]) == len(card.statements)
    assert sum(len(s["lines"]) for s in body["statements"]) == sum(len(s.lines) for s in card.statements)


def test_lines_fit_the_terminal(store: Store) -> None:
    assert max(map(len, cards.card(store, "FHSH").as_text(width=80).splitlines())) <= 80
