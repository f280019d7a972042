"""hypomag from Python: open the graph, ask it, check RDF against its shapes, read a card, hand it to rdflib."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from pyoxigraph import Literal, NamedNode, QueryBoolean, QuerySolutions, Store, Triple

from hypomag import cards, claims, exports, graph, handovers, names, paths, queries, sources
from hypomag.cards import Card
from hypomag.errors import HypomagError, InputError
from hypomag.losses import Losses
from hypomag.paths import Explanation
from hypomag.validation import Finding

if TYPE_CHECKING:
    import rdflib

__all__ = ["Graph", "HypomagError", "load", "query", "show", "validate"]

Value: TypeAlias = str | int | bool | Decimal | date | None
_XSD = "http://www.w3.org/2001/XMLSchema#"


class Graph:
    """The graph, opened: `load()` gives one.

    >>> graph = load()
    >>> graph.ask("ASK { MONDO:0011176 RO:0004002 HGNC:17995 }")
    True
    >>> [row["geneLabel"] for row in graph.query("which-genes", disease="FHSH")]
    ['TRPM6']
    """

    def __init__(self, store: Store, places: sources.Sources) -> None:
        self.store = store
        self._places = places

    def query(self, question: str, /, **bindings: str) -> list[dict[str, Value]]:
        """Ask a question of the catalogue by name, or SPARQL SELECT text; one dict a row.

        IRIs come as strings, integers as int, decimals as Decimal, dates as date, unbound columns as None.
        A keyword fixes a result column to a term by any of its names.

        Raises:
            UnknownName, AmbiguousName: no such question, or a name that does not mean one thing.
            SyntaxProblem, InputError: text that is no SELECT query.

        >>> row = load().query('SELECT ?n ?m { evidence:fhsh-seizure.f-t-095 hm:affected ?n ; hm:examined ?m }')[0]
        >>> row
        {'n': 27, 'm': 28}
        """
        text = question if _is_sparql(question) else queries.named(self._places, question).text
        text = queries.bound(text, {name: self._term(value) for name, value in bindings.items()}, placing=True)
        result = queries.run(self.store, text)
        if not isinstance(result, QuerySolutions):
            raise InputError("this is no SELECT query", "use ask() or construct()")
        columns = [variable.value for variable in result.variables]
        return [{column: value(row[column]) for column in columns} for row in result]

    def ask(self, text: str) -> bool:
        """Ask SPARQL ASK text."""
        result = queries.run(self.store, text)
        if not isinstance(result, QueryBoolean):
            raise InputError("this is no ASK query", "use query() or construct()")
        return bool(result)

    def construct(self, text: str) -> list[Triple]:
        """Run SPARQL CONSTRUCT or DESCRIBE text; triples of pyoxigraph."""
        result = queries.run(self.store, text)
        if isinstance(result, QuerySolutions | QueryBoolean):
            raise InputError("this is no CONSTRUCT or DESCRIBE query", "use query() or ask()")
        return list(result)

    def show(self, name: str) -> Card:
        """The card of an entity by any of its names.

        >>> card = load().show("HSH")
        >>> card.curie, card.label
        ('MONDO:0011176', 'intestinal hypomagnesemia 1')
        """
        return cards.card(self.store, name)

    def explain(self, subject: str, finding: str, state: str | None = None) -> Explanation:
        """The causal paths from a gene, disease or variable to a finding.

        >>> load().explain("TRPM6", "hypocalcemia").paths[0].states()[-1]
        -1
        """
        return paths.explain(self.store, subject, finding, state)

    def resolve(self, name: str) -> str:
        """The IRI of the one entity that bears a name.

        >>> load().resolve("ORPHA:30924")
        'http://purl.obolibrary.org/obo/MONDO_0011176'
        """
        return str(names.resolve(self.store, name).value)

    def export(self, form: str, place: str | os.PathLike[str]) -> Losses:
        """Write the graph to a file in any format of `hypomag export` (kgx: to a folder), and return what has no place in it.

        RDF loses nothing; the formats of others leave their report beside the output too.

        Raises:
            InputError: the format is not known, or it cannot be written.
        """
        if form in exports.FORMATS:
            sources.write_file(os.fspath(place), exports.export(self.store, form))
            every = claims.read(self.store).claims
            return Losses(form, len(every), sum(len(claim.lines) for claim in every))
        made = handovers.hand_over(self.store, form, self._places)
        made.write(os.fspath(place))
        return made.losses

    def to_rdflib(self) -> rdflib.Dataset:
        """A copy as rdflib Dataset with the named graphs and our prefixes."""
        import rdflib

        from hypomag import prefixes

        dataset = rdflib.Dataset(default_union=True)
        dataset.parse(data=exports.export(self.store, "nq"), format="nquads")
        for prefix, space in prefixes.read().items():
            dataset.bind(prefix, space, replace=True)
        return dataset

    def _term(self, text: str) -> NamedNode | Literal:
        from hypomag.asking import term

        return term(self.store, text)


def load(graph_dir: str | os.PathLike[str] | None = None) -> Graph:
    """Open a graph: the packaged one, or that of a folder of sources or of a build.

    Raises:
        GraphUnavailable: there is none.
    """
    places = sources.find(graph_dir)
    return Graph(graph.open_graph(places), places)


def query(question: str, /, **bindings: str) -> list[dict[str, Value]]:
    """Ask the packaged graph; see `Graph.query`."""
    return load().query(question, **bindings)


def show(name: str) -> Card:
    """The card of an entity of the packaged graph; see `Graph.show`."""
    return load().show(name)


def validate(*files: str, engine: str = "shifty", graph_dir: str | os.PathLike[str] | None = None) -> list[Finding]:
    """Check RDF files together with the graph, or without files the graph itself; findings, the gravest first.

    Raises:
        SyntaxProblem, InputError: a file does not parse or cannot be read.
    """
    from hypomag import checks

    return checks.check(sources.find(graph_dir), files, engine=engine).findings


def value(term: object) -> Value:
    """Turn an RDF term into a Python value.

    >>> value(Literal("0.7", datatype=NamedNode(_XSD + "decimal"))), value(NamedNode("a:b")), value(None)
    (Decimal('0.7'), 'a:b', None)
    """
    if term is None:
        return None
    if not isinstance(term, Literal):
        return str(getattr(term, "value", term))
    kinds: Mapping[str, type] = {_XSD + "integer": int, _XSD + "decimal": Decimal}
    kind = term.datatype.value
    if kind in kinds:
        converted: Value = kinds[kind](term.value)
        return converted
    if kind == _XSD + "boolean":
        return term.value in ("true", "1")
    if kind == _XSD + "date":
        try:
            return date.fromisoformat(term.value)
        except ValueError:
            return term.value
    return term.value


def _is_sparql(text: str) -> bool:
    return any(character in text for character in "{?\n")
