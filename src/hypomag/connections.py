"""One connection to a client, kept within bounds: heads and bodies that never end, answers that nobody reads."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hypomag.lanes import Limits

HEAD, HEAD_SECONDS = 64 << 10, 20.0  # bytes of a request before its body, and how long it may take
SLACK = 512 << 10  # what the marks between the parts of a body may take beside it
AWAITED, UNDER_WAY, WHOLE = range(3)  # how much of a request has come: not all of its head, not all of its body, all


def bounded(limits: Limits) -> type[HttpToolsProtocol]:
    """The parser of requests that is written in C, made to end a connection that is not worth its place.

    The application sees no byte that comes after its answer, nor the fields that may follow a body: both would be taken for
    ever. And it never learns that nobody reads what it has sent.
    """
    most = 2 * limits.body + HEAD + SLACK
    seconds = {AWAITED: HEAD_SECONDS, UNDER_WAY: HEAD_SECONDS + limits.seconds, WHOLE: 0.0}

    class Bounded(HttpToolsProtocol):
        _message = (0, AWAITED)  # the number of the request, how much of it has come
        _taken = 0
        _clock: Any = None
        _unread: Any = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait(HEAD_SECONDS)

        def data_received(self, data: bytes) -> None:
            self._taken += len(data)
            before = self._message
            if before[1] == AWAITED and self._taken > HEAD and b"\r\n\r\n" not in data:
                self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                self.transport.close()
            elif self._taken > most:
                self.transport.close()
            else:
                super().data_received(data)
                if self._message != before:
                    self._wait(seconds[self._message[1]])

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._taken = 0
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
