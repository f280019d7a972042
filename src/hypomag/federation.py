"""Questions that another server answers in part: what it is sent, and where."""

from __future__ import annotations

import re

from pyoxigraph import Literal, NamedNode, Store

from hypomag import queries
from hypomag.errors import InputError

# So many values of one question are sent along; with more, the other server is asked for everything.
MOST_VALUES = 500
SECONDS = 60.0


_SERVICE = re.compile(r"SERVICE\s+(?:SILENT\s+)?(<[^<>\s]*>|[?$]\w+|[\w.-]*:[\w.-]*)\s*\{", re.IGNORECASE)


def prepared(store: Store, text: str, address: str | None = None) -> str:
    """Send the values that a subquery finds here along with each SERVICE that follows it, and all of it to `address` if given.

    The engine asks the other server for its whole part of the query and joins afterwards; with the values in it the server
    has to look up a few entries only. The answer is the same.

    Raises:
        InputError: `address` is no http address, or there is no SERVICE in the query.
    """
    masked = queries.blanked(text)
    begins = [m.start() for m in re.finditer(r"(?<![\w?$:.-])SERVICE\b", masked, re.IGNORECASE)]
    places = [m for begin in begins if (m := _SERVICE.match(text, begin))]
    if address is not None:
        if not re.fullmatch(r"https?://[^\s<>\"{}|^`\\]+", address):
            raise InputError(f"{address!r}: no address of a SPARQL endpoint", "write it as http://host/path")
        if not places:
            raise InputError("the query has no SERVICE", "leave --service-url out")
    out, done = [], 0
    for place in places:
        inside = text[place.end() : _close(masked, place.end())]
        values = _values(store, text, masked, place.start(), inside)
        target = f"<{address}>" if address else text[place.start(1) : place.end(1)]
        out += [text[done : place.start(1)], target, text[place.end(1) : place.end()], values]
        done = place.end()
    return "".join([*out, text[done:]])


def _close(masked: str, start: int) -> int:
    depth = 1
    for place in range(start, len(masked)):
        depth += {"{": 1, "}": -1}.get(masked[place], 0)
        if depth == 0:
            return place
    return len(masked)


def _values(store: Store, text: str, masked: str, before: int, inside: str) -> str:
    """A VALUES block for the first variable that a subquery before the SERVICE shares with it; empty where there is none."""
    for match in re.finditer(r"\{\s*SELECT\b", masked[:before], re.IGNORECASE):
        end = _close(masked, match.end())
        if end >= before:
            continue
        subquery = text[match.start() + 1 : end]
        for name in queries.variables(subquery):
            if not re.search(rf"[?$]{name}(?!\w)", queries.blanked(inside)):
                continue
            rows = queries.run(store, f"{_prologue(text)}\nSELECT DISTINCT ?{name} WHERE {{ {{ {subquery} }} }} LIMIT {MOST_VALUES + 1}")
            found = sorted(str(row[name]) for row in rows if isinstance(row[name], NamedNode | Literal))
            if 0 < len(found) <= MOST_VALUES:
                return f" VALUES ?{name} {{ {' '.join(found)} }} "
    return ""


def _prologue(text: str) -> str:
    return "\n".join(re.findall(r"^\s*(?:PREFIX|BASE)\b.*$", text, re.IGNORECASE | re.MULTILINE))
