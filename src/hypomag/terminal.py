"""What the commands share: the option that names the graph, data to standard output, words to standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from hypomag.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from hypomag.sources import Sources

GRAPH_DIR = click.option(
    "--graph-dir", metavar="DIR", help="Folder of sources or of a build to read [default: $HYPOMAG_HOME, else the packaged graph]."
)


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


def emit(text: str | bytes, output: str | None = None) -> None:
    data = text.encode() if isinstance(text, str) else text
    if output and output != "-":
        from hypomag.sources import write_file

        write_file(output, data)
        return
    sys.stdout.buffer.write(data)
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
