"""The graph in the formats of others, each with the report of what has no place in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import NamedNode, Store

from hypomag import biolink, claims, exports, folders, hpoa, kgx, mappings, prefixes
from hypomag.errors import InputError
from hypomag.losses import MAPPING, Loss, Losses, all_lost
from hypomag.sources import MAPPINGS, VOCAB, Sources, check_writable, write_file

FORMATS = ("kgx", "sssom", "hpoa")
REPORT = "losses.tsv"
NO_CLAIMS = "SSSOM carries mappings, no claims"


@dataclass(frozen=True)
class Handover:
    """The files of one format by name, one or several, and what stayed behind."""

    files: Mapping[str, bytes]
    losses: Losses

    def write(self, place: str, beside: bool = True) -> str:
        """Write the files whole or not at all, several as a folder; the report lies in it, or beside the one file. Returns where.

        A device or a named pipe has no report beside it: the place is empty then.

        Raises:
            InputError: it cannot be written, or the folder holds something else.
        """
        report = self.losses.as_tsv().encode()
        if len(self.files) > 1:
            folders.write(Path(place), {**self.files, REPORT: report})
            return str(Path(place) / REPORT)
        listed = f"{place}.{REPORT}" if beside and (Path(place).is_file() or not Path(place).exists()) else ""
        if listed:
            check_writable(place)
            check_writable(listed)
            write_file(listed, report)
        for content in self.files.values():
            write_file(place, content)
        return listed


def check_place(form: str, place: str) -> None:
    """Refuse a place that the export could not be written to, before it is made.

    Raises:
        InputError: it cannot be written, or the folder holds something else.
    """
    if form == "kgx":
        folders.check(Path(place), (*kgx.FILES, REPORT))
    else:
        check_writable(place)


def check_report(place: str, report: str) -> None:
    """Refuse a report in the place of the data, inside of their folder, or where it cannot be written.

    Raises:
        InputError: the one would destroy the other, or the next export would find a folder that holds something else.
    """
    data, told = Path(place).resolve(), Path(report).resolve()
    if data == told or (data.exists() and told.exists() and data.samefile(told)):
        raise InputError(f"{report}: is where the data go", "name another file with --losses")
    if data in told.parents:
        raise InputError(f"{report}: lies in the folder of the data, which holds {REPORT} anyhow", "name a file elsewhere with --losses")
    check_writable(report)


def hand_over(store: Store, form: str, sources: Sources | None = None) -> Handover:
    """Write a graph in a format of others; the same graph gives the same bytes.

    `sources` is the folder of the graph: its mapping table says more of a mapping than the graph does.

    Raises:
        InputError: the format is not known, or the mapping table is not valid SSSOM.
    """
    if form == "kgx":
        return Handover(*kgx.export(store))
    if form == "sssom":
        return _mappings(store, sources)
    if form == "hpoa":
        text, losses = hpoa.export(store)
        return Handover({"phenotype.hpoa": text.encode()}, losses)
    raise InputError(f"no format {form!r}", f"take one of {', '.join(FORMATS)}")


def _mappings(store: Store, sources: Sources | None) -> Handover:
    """Every claim is listed as lost, but for a linked graph, which has some hundred thousand: there they are counted."""
    version, date = exports.release(store)
    graphs = sources.mapping_graphs() if sources else [MAPPINGS]
    made = mappings.write(store, version, date, sources.mappings if sources else None, graphs, biolink.VERSION)
    if sources and sources.is_linked:
        number = sum(1 for _ in store.quads_for_pattern(None, NamedNode(VOCAB + "polarity"), None, None))
        report = Losses("sssom", number, unlisted=number)
    else:
        report = all_lost("sssom", claims.read(store), NO_CLAIMS)
    report.mappings = made.rows
    for subject, predicate, target, reason in made.lost:
        report.items.append(Loss(MAPPING, subject, prefixes.shorten(predicate), "", reason, target))
    return Handover({"mappings.sssom.tsv": made.text.encode()}, report)
