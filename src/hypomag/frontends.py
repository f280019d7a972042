"""The page that asks in the browser: its bundle, where one was built, and what the page reads of the graph."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hypomag import prefixes
from hypomag.queries import Question, variables
from hypomag.sources import packaged

FOLDER = "ask"
BUNDLE = ("ask.js", "engine.wasm", "licences.txt", "style.css", "worker.js")
# The engine is WebAssembly, and the graph is fetched from beside the page; nowhere else on the site is either allowed.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
)


def find() -> Path | None:
    """Return the folder of the bundle: in the wheel, else beside the sources where `make frontend` leaves it; None where nobody built it."""
    root = packaged()
    for place in (root / "frontend" / "dist", root / "frontend"):
        if all((place / name).is_file() for name in BUNDLE):
            return place
    return None


def digest(bundle: Path | None) -> str:
    """SHA-256 over the files of a bundle; the empty text for none."""
    if bundle is None:
        return ""
    total = hashlib.sha256()
    for name in BUNDLE:
        total.update(name.encode() + b"\0" + (bundle / name).read_bytes())
    return total.hexdigest()


def packed(trig: bytes) -> bytes:
    """Compress the graph for the page, without the time, so that the same graph gives the same bytes.

    >>> packed(b"<a:b> <a:c> <a:d> .") == packed(b"<a:b> <a:c> <a:d> .")
    True
    """
    return gzip.compress(trig, 9, mtime=0)


def catalogue(questions: Iterable[Question], terms: Mapping[str, tuple[str, str, str, Sequence[str]]]) -> bytes:
    """Write what the page knows before it is asked: prefixes, questions with their result columns, names of terms.

    `terms` is CURIE → label, path of its page without suffix, kind, other names.
    """
    told = {
        "prefixes": prefixes.read(),
        "queries": [
            {
                "name": q.name,
                "summary": q.summary,
                "description": q.description,
                "tags": q.tags,
                "columns": variables(q.text),
                "text": q.text,
            }
            for q in questions
        ],
        "terms": [
            [curie, label, path, kind, *dict.fromkeys(o for o in other if o and o not in (curie, label))]
            for curie, (label, path, kind, other) in sorted(terms.items())
        ],
    }
    return (json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
