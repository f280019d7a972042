"""The command that serves: serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hypomag.errors import InputError
from hypomag.terminal import GRAPH_DIR, find, say

if TYPE_CHECKING:
    from hypomag.endpoint import Endpoint

MISSING = "hypomag serve needs packages that are not installed"
REMEDY = "pip install 'hypomag[serve]'"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 is every one of this machine.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one and tells it.")
@click.option("--base-url", default="", metavar="URL", help="Public address, where a proxy stands before it.")
@click.option("--timeout", default=30.0, show_default=True, type=click.FloatRange(min=0.1, max=3600), metavar="SECONDS", help="A query is stopped after so long.")  # fmt: skip
@click.option("--rows", default=100_000, show_default=True, type=click.IntRange(min=1), help="Most rows or triples of an answer.")
@click.option("--body", default=1024, show_default=True, type=click.IntRange(min=1), metavar="KB", help="Largest body of a request.")
@click.option("--memory", default=1024, show_default=True, type=click.IntRange(min=64), metavar="MB", help="Most memory of a query.")
@click.option(
    "--workers", default=0, type=click.IntRange(min=0, max=256), help="Quick queries at a time [default: one a core, at least 2]."
)
@click.option("--long-workers", default=0, type=click.IntRange(min=0, max=256), help="Long queries at a time [default: one a core].")
@click.option(
    "--waiting", default=64, show_default=True, type=click.IntRange(min=0), help="Queries that may wait; the next is told to come later."
)
@click.option(
    "--cache", default=64, show_default=True, type=click.IntRange(min=0), metavar="MB", help="Answers that are kept; 0 keeps none."
)
@GRAPH_DIR
def serve(
    host: str, port: int, base_url: str, timeout: float, rows: int, body: int, memory: int, workers: int, long_workers: int,
    waiting: int, cache: int, graph_dir: str | None,
) -> None:  # fmt: skip
    """Serve the site and a SPARQL endpoint (/sparql): linked data by content negotiation, read-only.

    The first start with a graph writes its pages into the user's cache. Ctrl-C ends it.

    \b
    Examples:
      hypomag serve
      hypomag serve --port 8080 --timeout 10
      hypomag serve --host 0.0.0.0 --base-url https://example.org/hypomag/
    """
    import os

    try:
        import httptools
        import uvicorn
    except ImportError:
        raise InputError(MISSING, REMEDY) from None
    if base_url and not base_url.startswith(("http://", "https://")):
        raise InputError(f"{base_url!r} is no web address", "write it as https://example.org/hypomag/")
    from hypomag.documents import shelf
    from hypomag.endpoint import Endpoint
    from hypomag.lanes import Limits

    del httptools, uvicorn
    cores = os.cpu_count() or 1
    limits = Limits(timeout, rows, body << 10, memory, workers or max(2, cores), long_workers or cores, waiting)
    base = base_url.rstrip("/") + "/" if base_url else ""
    with shelf(find(graph_dir), base, say) as found:
        run(Endpoint(found, limits, base=base, kept=cache << 20), host, port, say)


def run(endpoint: Endpoint, host: str, port: int, say: Any = print) -> None:
    """Listen until a signal ends it.

    Raises:
        InputError: the address cannot be listened on.
        GraphUnavailable: as `Endpoint.start`.
    """
    import asyncio
    import signal
    import socket

    import uvicorn

    from hypomag.connections import bounded

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    line = socket.socket(family)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        line.bind((host, port))
    except (OSError, OverflowError) as error:
        raise InputError(
            f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}", "choose another --port or --host"
        ) from None
    config = uvicorn.Config(
        endpoint, http=bounded(endpoint.limits, endpoint.kept), loop="auto", ws="none", lifespan="off", log_level="warning", access_log=False, server_header=False,
        limit_concurrency=1000, timeout_keep_alive=15, timeout_graceful_shutdown=5, backlog=2048,
    )  # fmt: skip
    server = uvicorn.Server(config)

    async def listen() -> None:
        await endpoint.start()
        shown = f"[{host}]" if ":" in host else host
        say(f"serving on http://{shown}:{line.getsockname()[1]}/ (SPARQL: /sparql); Ctrl-C ends it")
        for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises them again when it has ended well
            signal.signal(number, lambda *_: None)
        try:
            await server.serve(sockets=[line])
        finally:
            await endpoint.lanes.stop()

    factory = config.get_loop_factory()
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(listen())
    finally:
        line.close()
