"""Responses as values: status, headers, bytes; what every one of them carries; the latest ones kept; and how one is sent."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from weakref import WeakValueDictionary

from hypomag import negotiation

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

KEPT, KEPT_ONE = 64 << 20, 2 << 20  # bytes of answers that are kept, and of the largest that is
CHUNK = 1 << 17
RAW = "raw"  # where a connection leaves the bytes of a request that may come again, in the state of the scope
CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
COMMON: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Link, Location, Retry-After, Content-Location"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]


@dataclass(frozen=True)
class Answer:
    """A response; `tag` is its entity tag, `kept` says that the same request may get it again."""

    status: int
    headers: Headers
    body: bytes
    kept: bool = False
    policy: str = CSP

    @cached_property
    def head(self) -> bytes:
        """Status line and headers as they go out, but for the date and the empty line at the end."""
        return b"HTTP/1.1 %d %b\r\n" % (self.status, HTTPStatus(self.status).phrase.encode()) + b"".join(
            b"%b: %b\r\n" % pair for pair in self.headers
        )


def plain(status: int, message: str, **headers: str) -> Answer:
    """A sentence for a person; never HTML, whatever the message repeats."""
    told = [(name.replace("_", "-").lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    return Answer(
        status,
        [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *told],
        (message.rstrip() + "\n").encode(),
    )


class Kept:
    """Answers by what was asked, the latest ones, of bounded size; one that is too large to keep, while somebody still gets it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = 0
        self._found: OrderedDict[object, Answer] = OrderedDict()
        self._lent: WeakValueDictionary[object, Answer] = WeakValueDictionary()

    def get(self, key: object) -> Answer | None:
        found = self._found.get(key)
        if found:
            self._found.move_to_end(key)
            return found
        return self._lent.get(key)

    def put(self, key: object, answer: Answer) -> None:
        if len(answer.body) > CHUNK:
            self._lent[key] = answer
        cost = _cost(key, answer)
        if cost > min(KEPT_ONE, self.most) or key in self._found:
            return
        self._found[key] = answer
        self.size += cost
        while self.size > self.most:
            self.size -= _cost(*self._found.popitem(last=False))


def _cost(key: object, answer: Answer) -> int:
    # A request may be larger than its answer.
    return len(answer.body) + 1024 + (len(key) if isinstance(key, bytes) else 0)


class Outgoing:
    """The bytes of large answers that are on their way to slow readers, each counted once however many get it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = 0
        self._held: Counter[int] = Counter()

    @contextlib.contextmanager
    def held(self, body: bytes) -> Iterator[bool]:
        """Count a body while it is sent; False where there is no more room. One alone always has."""
        if not self._held[id(body)]:
            if self.size and self.size + len(body) > self.most:
                del self._held[id(body)]
                yield False
                return
            self.size += len(body)
        self._held[id(body)] += 1
        try:
            yield True
        finally:
            self._held[id(body)] -= 1
            if not self._held[id(body)]:
                del self._held[id(body)]
                self.size -= len(body)


def _policy(policy: str) -> tuple[bytes, bytes]:
    return b"content-security-policy", policy.encode()


def header(scope: Scope, name: bytes) -> str | None:
    """A header of a request; several of one name are one list."""
    found = [value for key, value in scope["headers"] if key == name]
    return b", ".join(found).decode("latin-1") if found else None


def typed(media: str, data: bytes, tag: str) -> Answer:
    charset = "; charset=utf-8" if media.startswith("text/") else ""
    again = caching(tag, True) if tag else [(b"vary", b"Accept"), (b"cache-control", b"no-store")]
    headers = [*COMMON, _policy(CSP), (b"content-type", f"{media}{charset}".encode()), (b"content-length", str(len(data)).encode()), *again]
    return Answer(200, headers, data, kept=bool(tag))


def tagged(status: int, media: str, data: bytes, scope: Scope, *, vary: bool = False) -> Answer:
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    if negotiation.known(header(scope, b"if-none-match"), tag):
        return Answer(304, caching(tag, vary), b"")
    return Answer(status, [(b"content-type", media.encode()), *caching(tag, vary)], data)


def caching(tag: str, vary: bool) -> Headers:
    found = [(b"etag", tag.encode()), (b"cache-control", b"public, max-age=300")]
    return [*found, (b"vary", b"Accept")] if vary else found


def led(way: str, *, vary: bool = True) -> Answer:
    headers = [(b"location", quote(way, safe="/#?=%&:.-_~").encode()), (b"cache-control", b"public, max-age=300")]
    return Answer(303, [*headers, (b"vary", b"Accept")] if vary else headers, b"")


def preflight(allowed: str) -> Answer:
    return Answer(
        204,
        [
            (b"allow", allowed.encode()),
            (b"access-control-allow-methods", allowed.encode()),
            (b"access-control-allow-headers", b"Accept, Content-Type, If-None-Match"),
            (b"access-control-max-age", b"86400"),
        ],
        b"",
    )


async def send(to: Send, answer: Answer, *, bodiless: bool = False) -> None:
    """Send an answer; a client that has gone meanwhile is no error."""
    headers: Iterable[tuple[bytes, bytes]] = answer.headers
    if not answer.kept:
        headers = [*COMMON, _policy(answer.policy), *answer.headers]
        if answer.status not in (204, 304):
            headers.append((b"content-length", str(len(answer.body)).encode()))
    try:
        await to({"type": "http.response.start", "status": answer.status, "headers": headers})
        if bodiless or len(answer.body) <= CHUNK:
            await to({"type": "http.response.body", "body": b"" if bodiless else answer.body})
            return
        for start in range(0, len(answer.body), CHUNK):
            more = start + CHUNK < len(answer.body)
            await to({"type": "http.response.body", "body": answer.body[start : start + CHUNK], "more_body": more})
    except RuntimeError as error:
        if "closed" not in str(error):
            raise
        await asyncio.sleep(0)  # uvicorn hears that the client has gone with the next turn of the loop
