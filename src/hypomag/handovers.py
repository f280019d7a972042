"""The graph in the formats of others, each with the report of what has no place in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyoxigraph import Store

from hypomag import claims, exports, hpoa, kgx, mappings
from hypomag.errors import InputError
from hypomag.losses import Losses, all_lost
from hypomag.sources import Sources

FORMATS = ("kgx", "sssom", "hpoa")
NO_CLAIMS = "SSSOM carries mappings, no claims"


@dataclass(frozen=True)
class Handover:
    """The files of one format by name, one or several, and what stayed behind."""

    files: Mapping[str, bytes]
    losses: Losses


def hand_over(store: Store, form: str, sources: Sources | None = None) -> Handover:
    """Write a graph in a format of others; the same graph gives the same bytes.

    `sources` is the folder of the graph: its mapping table says more of a mapping than the graph does.

    Raises:
        InputError: the format is not known, or a mapping cannot be written.
    """
    if form == "kgx":
        return Handover(*kgx.export(store))
    if form == "sssom":
        version, date = exports.release(store)
        text = mappings.write(store, version, date, sources.mappings if sources else None)
        return Handover({"mappings.sssom.tsv": text.encode()}, all_lost("sssom", claims.read(store), NO_CLAIMS))
    if form == "hpoa":
        text, losses = hpoa.export(store)
        return Handover({"phenotype.hpoa": text.encode()}, losses)
    raise InputError(f"no format {form!r}", f"take one of {', '.join(FORMATS)}")
