"""The mapping set (SSSOM) as SKOS statements of the graph."""

from __future__ import annotations

from pathlib import Path

from pyoxigraph import NamedNode, Quad

from hypomag.errors import InputError
from hypomag.sources import MAPPINGS, VOCAB

NOT_MATCH = {
    "http://www.w3.org/2004/02/skos/core#exactMatch": VOCAB + "notExactMatch",
}


def read(path: Path) -> list[Quad]:
    """Read an SSSOM table into quads of graph/mappings.

    A mapping becomes `subject predicate object`; one with the modifier "Not" becomes
    `subject hm:notExactMatch object`, so that no export can turn it positive.

    Raises:
        InputError: the table is not valid SSSOM, or negates a predicate that has no negative here.
    """
    import sssom_pydantic  # 270 ms: only where a graph is assembled

    try:
        pack = sssom_pydantic.read(path)
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        raise InputError(f"{path}: not a valid SSSOM table: {first}", "see https://mapping-commons.github.io/sssom/") from None
    stated = sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")) - 1
    if stated != len(pack.mappings):  # the library passes over rows with an unknown prefix
        raise InputError(f"{path}: {stated - len(pack.mappings)} of {stated} rows cannot be read", "is every prefix in its curie_map?")
    converter = pack.converter
    graph = NamedNode(MAPPINGS)
    quads = []
    for mapping in pack.mappings:
        subject, predicate, target = (
            converter.expand_reference(part, strict=True) for part in (mapping.subject, mapping.predicate, mapping.object)
        )
        if mapping.predicate_modifier:
            if predicate not in NOT_MATCH:
                raise InputError(f"{path}: no negative of {mapping.predicate.curie} in this vocabulary")
            predicate = NOT_MATCH[predicate]
        quads.append(Quad(NamedNode(subject), NamedNode(predicate), NamedNode(target), graph))
    return quads
