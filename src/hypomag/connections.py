"""One connection to a client, kept within bounds: heads and bodies that never end, answers that nobody reads."""

from __future__ import annotations

import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hypomag.answers import RAW, Kept
from hypomag.lanes import Limits

HEAD, HEAD_SECONDS = 64 << 10, 20.0  # bytes of a request before its body, and how long it may take
SLACK = 512 << 10  # what the marks between the parts of a body may take beside it
LONGEST = 8 << 10  # bytes of a request that is known again
# What makes that the end of the bytes is not the end of the request, or that the connection does not go on after the answer.
_NOT_ALONE = re.compile(rb"\n(?:content-length|transfer-encoding|expect|upgrade|connection:(?!\s*keep-alive\s*\r))", re.IGNORECASE)
AWAITED, UNDER_WAY, WHOLE = range(3)  # how much of a request has come: not all of its head, not all of its body, all


def alone(data: bytes) -> bool:
    """Whether these bytes are one query by GET, whole, after which the connection goes on: the same bytes ask for the same answer.

    >>> alone(b"GET /sparql?query=ASK%7B%7D HTTP/1.1\\r\\nHost: a.b\\r\\n\\r\\n"), alone(b"GET /sparql?query=ASK%7B%7D HTTP/1.0\\r\\n\\r\\n")
    (True, False)
    >>> alone(b"GET /sparql?query=ASK%7B%7D HTTP/1.1\\r\\nContent-Length: 3\\r\\n\\r\\n")
    False
    """
    return (
        len(data) <= LONGEST
        and data.startswith(b"GET /sparql?")
        and data.find(b"\r\n\r\n") == len(data) - 4
        and data[: data.index(b"\r\n")].endswith(b" HTTP/1.1")
        and not _NOT_ALONE.search(data)
    )


def bounded(limits: Limits, kept: Kept) -> type[HttpToolsProtocol]:
    """The parser of requests that is written in C, made to end a connection that is not worth its place.

    The application sees no byte that comes after its answer, nor the fields that may follow a body: both would be taken for
    ever. And it never learns that nobody reads what it has sent.

    A request that came before, byte for byte, and whose answer is kept is not even read.
    """
    most = 2 * limits.body + HEAD + SLACK
    seconds = {AWAITED: HEAD_SECONDS, UNDER_WAY: HEAD_SECONDS + limits.seconds, WHOLE: 0.0}

    class Bounded(HttpToolsProtocol):
        _message = (0, AWAITED)  # the number of the request, how much of it has come
        _taken = 0
        _clock: Any = None
        _unread: Any = None
        _raw: bytes | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait(HEAD_SECONDS)

        def data_received(self, data: bytes) -> None:
            before = self._message
            self._raw = None
            if before[1] == WHOLE or (before == (0, AWAITED) and not self._taken):
                if self._same(data):
                    return
                self._raw = data if alone(data) else None
            self._taken += len(data)
            if before[1] == AWAITED and self._taken > HEAD and b"\r\n\r\n" not in data:
                self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                self.transport.close()
            elif self._taken > most:
                self.transport.close()
            else:
                super().data_received(data)
                if self._message != before:
                    self._wait(seconds[self._message[1]])

        def _same(self, data: bytes) -> bool:
            found = kept.get(data)
            if (
                not found
                or self.flow.write_paused
                or not (self.cycle is None or self.cycle.response_complete)
                or self.transport.is_closing()
            ):
                return False
            date = b"".join(b"%b: %b\r\n" % pair for pair in self.server_state.default_headers)
            self.transport.write(b"".join((found.head, date, b"\r\n", found.body)))
            self._wait(0)
            self.on_response_complete()
            return True

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._taken = 0
            if self._raw:
                self.scope["state"][RAW] = self._raw
            self._message = (self._message[0] + 1, AWAITED)

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            self._message = (self._message[0], UNDER_WAY)

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._message = (self._message[0], WHOLE)

        def _wait(self, time: float) -> None:
            if self._clock:
                self._clock.cancel()
            self._clock = self.loop.call_later(time, self.transport.close) if time else None

        def pause_writing(self) -> None:
            super().pause_writing()
            self._unread = self.loop.call_later(limits.unread, self.transport.abort)

        def resume_writing(self) -> None:
            self._unread.cancel()
            super().resume_writing()

        def connection_lost(self, error: Exception | None) -> None:
            self._wait(0)
            if self._unread:
                self._unread.cancel()
            super().connection_lost(error)

    return Bounded
