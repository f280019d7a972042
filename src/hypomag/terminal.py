"""What the commands share: the option that names the graph, data to standard output, words to standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from hypomag.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any, TypeVar

    from hypomag.sources import Sources

    Command = TypeVar("Command", bound=Callable[..., Any])

GRAPH_DIR = click.option(
    "--graph-dir", metavar="DIR", help="Folder of sources or of a build to read [default: $HYPOMAG_HOME, else the packaged graph]."
)


def _chosen(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
    if not ctx.meta.get("hypomag.linked"):
        return value
    if value:
        raise click.UsageError("give either --graph-dir or --linked")
    from hypomag.sources import linked_folder

    return str(linked_folder())


def _remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.meta["hypomag.linked"] = value


def READS(command: Command) -> Command:
    """The options of a command that reads a graph: of which folder, or the linked one."""
    command = click.option(
        "--graph-dir", metavar="DIR", callback=_chosen,
        help="Folder of sources, of a build or of a linked graph to read [default: $HYPOMAG_HOME, else the packaged graph].",
    )(command)  # fmt: skip
    return click.option(
        "--linked", is_flag=True, is_eager=True, expose_value=False, callback=_remember,
        help="Read the linked graph (see hypomag link).",
    )(command)  # fmt: skip


class Meter:
    """Tells on a terminal what is being read and how far it is; piped, it says nothing."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._next = 0.0

    def __call__(self, what: str, count: int) -> None:
        from time import monotonic

        if self._on and monotonic() >= self._next:
            self._next = monotonic() + 0.2
            click.echo(f"\r\x1b[K{what}: {count:,} statements", nl=False, err=True)

    def done(self) -> None:
        if self._on:
            click.echo("\r\x1b[K", nl=False, err=True)


def find(graph_dir: str | None) -> Sources:
    from hypomag import sources

    return sources.find(graph_dir)


def needs_sources(sources: Sources) -> Sources:
    """Refuse a built graph where the curated files are wanted."""
    if not (sources.root / "ontology").is_dir():
        raise InputError(f"{sources.root}: holds a built graph, no sources", "name a folder that holds ontology/")
    return sources


def say(text: str) -> None:
    click.echo(text, err=True)


def progress(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"{text} ...", err=True)


def emit(text: str | bytes | Iterator[bytes], output: str | None = None) -> None:
    data = text.encode() if isinstance(text, str) else text
    if output and output != "-":
        from hypomag.sources import write_file

        write_file(output, data)
        return
    sys.stdout.buffer.writelines([data] if isinstance(data, bytes) else data)
    sys.stdout.buffer.flush()


def emit_json(value: object) -> None:
    import json

    emit(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def shown(path: Path) -> str:
    """A path as seen from the current folder, where it lies below it."""
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near


def width(most: int = 120) -> int:
    """The columns of the terminal; 100 where the output is piped."""
    import shutil

    return min(shutil.get_terminal_size().columns, most) if sys.stdout.isatty() else 100
