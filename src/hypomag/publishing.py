"""The command that publishes: publish."""

from __future__ import annotations

import click

from hypomag.terminal import GRAPH_DIR, find, progress, say, shown


@click.command()
@click.argument("folder", metavar="DIR")
@click.option(
    "--base-url", default="", metavar="URL", help="Web address of the site, for sitemap.xml, w3id.htaccess, void.ttl, canonical links."
)
@click.option("--ask/--no-ask", default=True, help="With or without the page that answers SPARQL in the browser.", show_default=True)
@click.option("--list", "listed", is_flag=True, help="Print the files that were written or removed.")
@GRAPH_DIR
def publish(folder: str, base_url: str, ask: bool, listed: bool, graph_dir: str | None) -> None:
    """Write the graph as a static web site into DIR: a page for every entity, with its data beside it.

    Any file host serves it, below any path; opened from the disk it works too. Into a site that is there only what has
    changed is written. Nothing on a page is loaded from elsewhere.

    \b
    Examples:
      hypomag publish site
      hypomag publish site --base-url https://example.org/hypomag/
      hypomag publish site --list
    """
    from pathlib import Path

    from hypomag import sites
    from hypomag.terminal import emit

    done = sites.publish(find(graph_dir), Path(folder), base_url, progress, ask=ask)
    if listed:
        emit("".join([*(f"written {p}\n" for p in done.written), *(f"removed {p}\n" for p in done.removed)]))
    changes = f"{len(done.written)} written" + (f", {len(done.removed)} removed" if done.removed else "")
    say(
        f"{shown(done.folder)}: {done.pages} pages, {done.files} files; {changes if done.written or done.removed else 'nothing has changed'}"
    )
    if ask and not done.asks:
        say("without the page that asks in the browser: this program was built without it; make frontend builds it (needs Node.js)")
    if not base_url:
        say("without sitemap.xml, w3id.htaccess and the addresses of the downloads in void.ttl: give --base-url for these")
