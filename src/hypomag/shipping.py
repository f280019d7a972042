"""The commands that hand the graph out: export in every format, load into a running store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from hypomag.errors import InputError
from hypomag.terminal import READS, emit, find, progress, say

if TYPE_CHECKING:
    from hypomag.sources import Sources

EXPORT_FORMATS = ("turtle", "nt", "rdfxml", "nq", "trig", "jsonld")
HANDOVERS = ("kgx", "sssom", "hpoa")
STORES = ("oxigraph", "fuseki", "rdf4j", "graphdb", "virtuoso", "generic")
BUNDLES = ("virtuoso", "fuseki", "graphdb", "qlever", "oxigraph")


@click.command()
@click.option("--format", "-f", "form", type=click.Choice([*EXPORT_FORMATS, *HANDOVERS]))
@click.option("--bundle", type=click.Choice(BUNDLES), help="A folder for the bulk loader of a store: files, script, counts.")
@click.option(
    "-o", "--output", metavar="FILE|DIR", help="[default: standard output; kgx needs a folder; for a bundle the folder hypomag-STORE]"
)
@click.option("--losses", metavar="FILE", help="Where to list what has no place in kgx, sssom or hpoa [default: beside the output].")
@READS
def export(form: str | None, bundle: str | None, output: str | None, losses: str | None, graph_dir: str | None) -> None:
    """Write the graph: as RDF, in a format of others with a report of what has no place in it, or as a bundle for a store.

    One graph: turtle, nt, rdfxml. With its named graphs: nq, trig, jsonld. For others: kgx (nodes and edges of the Biolink
    Model, a folder), sssom (mappings), hpoa (phenotype.hpoa). The report lists every claim that did not go along, and why.
    The linked graph is written as nq, kgx, sssom or hpoa: with the annotations of all diseases.

    \b
    Examples:
      hypomag export --format turtle -o hypomag.ttl
      hypomag export --format nq | head
      hypomag export --format kgx -o kgx
      hypomag export --format hpoa -o phenotype.hpoa
      hypomag export --format sssom --losses lost.tsv
      hypomag export --bundle virtuoso
    """
    from hypomag import graph

    if (form is None) == (bundle is None):
        raise click.UsageError("give either --format or --bundle")
    places = find(graph_dir)
    if places.is_linked:
        if form == "nq":
            from hypomag import exports

            emit(exports.streamed(graph.open_graph(places)), output)
            return
        if form not in HANDOVERS:
            raise InputError(
                f"a linked graph is too large for {form or bundle}, which is put in order in memory", "write it as it is: --format nq"
            )
    if form in HANDOVERS:
        _hand_over(places, form, output, losses)
        return
    if losses:
        raise click.UsageError(f"{form or bundle} loses nothing: --losses is for {', '.join(HANDOVERS)}")
    store = graph.open_graph(places)
    if bundle:
        from hypomag import bundles

        say(bundles.write(store, bundle, output or f"hypomag-{bundle}"))
    elif form:
        from hypomag import exports

        emit(exports.export(store, form), output)


def _hand_over(places: Sources, form: str, output: str | None, losses: str | None) -> None:
    from hypomag import graph, handovers, sources

    if "" in (output, losses):
        raise click.UsageError("-o and --losses take the name of a file, not an empty one")
    if losses == "-" and form != "kgx" and output in (None, "-"):
        raise click.UsageError("data and losses cannot both go to standard output: give -o FILE")
    if form == "kgx" and output in (None, "-"):
        raise InputError("kgx is a folder of files", "name a new or empty one: hypomag export --format kgx -o DIR")
    if losses and losses != "-":
        if output and output != "-":
            handovers.check_report(output, losses)
        else:
            sources.check_writable(losses)
    if output and output != "-":
        handovers.check_place(form, output)
    made = handovers.hand_over(graph.open_graph(places), form, places)
    listed = losses
    if losses and losses != "-":
        emit(made.losses.as_tsv(), losses)  # before the data: where it cannot be written, nothing is
    if output and output != "-":
        beside = made.write(output, beside=not losses)
        listed = losses or beside
    else:
        for content in made.files.values():
            emit(content)
    if losses == "-":
        emit(made.losses.as_tsv())
    say(made.losses.summary())
    say("  --losses FILE lists them" if not listed else "  listed on standard output" if listed == "-" else f"  listed in {listed}")


@click.command()
@click.argument("url")
@click.option("--store", type=click.Choice(STORES), help="Kind of store [default: the kind that answers there]")
@click.option("--dry-run", is_flag=True, help="Tell what would be done; write nothing.")
@click.option("--verify-only", is_flag=True, help="Compare every triple of ours with the store; exit 1 where they differ.")
@click.option("--remove", is_flag=True, help="Take out of the store what hypomag has loaded.")
@click.option("--update-url", metavar="URL", help="Where a generic store takes updates [default: at URL]")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True, max=1_000_000), default=300.0, show_default=True, metavar="SECONDS",
              help="How long to wait for the store to say something.")  # fmt: skip
@READS
def load(
    url: str, store: str | None, dry_run: bool, verify_only: bool, remove: bool, update_url: str | None, timeout: float, graph_dir: str | None,
) -> None:  # fmt: skip
    """Load the graph into a running store: staged, counted, compared, then swapped in. Repeating it changes nothing.

    URL is where the store is: http://host:7878 (Oxigraph), http://host:3030/DATASET (Fuseki), http://host:8890 (Virtuoso),
    http://host:8080/rdf4j-server/repositories/NAME (RDF4J), http://host:7200/repositories/NAME (GraphDB). A login comes from
    HYPOMAG_STORE_USER and HYPOMAG_STORE_PASSWORD, from HYPOMAG_STORE_TOKEN, or from ~/.netrc.

    \b
    Examples:
      hypomag load http://127.0.0.1:7878
      hypomag load http://127.0.0.1:7878 --dry-run
      hypomag load http://127.0.0.1:7878 --verify-only
      hypomag load http://127.0.0.1:7878 --remove
    """
    from hypomag import loads, stores
    from hypomag.results import table

    if verify_only and (dry_run or remove):
        raise click.UsageError("--verify-only writes nothing; give it alone")
    wanted = loads.plan(find(graph_dir))
    with stores.reach(url, store, timeout=timeout, update=update_url) as remote:
        told = loads.done(remote, wanted, dry=dry_run, verifying=verify_only, removing=remove, progress=progress)
        emit(table(["graph", "here", "in the store", "state"], told.rows(), 70))
        say(f"{remote.title} at {remote.address}: {told.summary}")
    sys.exit(told.exit_code)
