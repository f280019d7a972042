"""Statements into a store on disk: in batches, one made while others load, with a digest of what went in."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pyoxigraph import RdfFormat, Store

from hypomag.sources import GRAPHS

# Statements in one load: the engine sorts them in memory, so this bounds it (about 1.3 GB at this size, with two at work).
BATCH = 400_000
LOADERS = 2
# Called now and then with what is being read and how many statements there are so far.
Progress = Callable[[str, int], None]


class Loader:
    """Takes statements for named graphs and loads them in batches, one batch loading while the next is made."""

    def __init__(self, place: Path, progress: Progress) -> None:
        self.store = Store(str(place))
        self.counts: dict[str, int] = defaultdict(int)
        self.hashes: dict[str, hashlib._Hash] = defaultdict(hashlib.sha256)
        self._progress = progress
        self._parts: list[bytes] = []
        self._waiting = 0
        self._workers = ThreadPoolExecutor(LOADERS)
        self._pending: list[Future[None]] = []

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        try:
            if kind is None:
                self._send()
                self._settle(0)
                # One file instead of one a batch: a lookup takes a quarter of the time.
                self.store.optimize()
                self.store.flush()
        finally:
            self._workers.shutdown(cancel_futures=True)
            del self.store

    def add(self, name: str, lines: Iterable[str]) -> None:
        """Take statements of one graph, each "subject predicate object" in N-Triples; the caller repeats none."""
        end = f" <{name}> .\n"
        found = list(lines)
        if not found:
            return
        part = (end.join(found) + end).encode()
        self.hashes[name].update(part)
        self.counts[name] += len(found)
        self._parts.append(part)
        self._waiting += len(found)
        self._progress(name.removeprefix(GRAPHS), sum(self.counts.values()))
        if self._waiting >= BATCH:
            self._send()

    def stream(self, name: str, lines: Iterable[str]) -> None:
        """Take a stream of statements of one graph."""
        batch: list[str] = []
        for line in lines:
            batch.append(line)
            if len(batch) >= 20_000:
                self.add(name, batch)
                batch = []
        self.add(name, batch)

    def digest(self) -> str:
        """One SHA-256 over all graphs: the same inputs give the same."""
        told = "".join(f"{g} {n} {self.hashes[g].hexdigest()}\n" for g, n in sorted(self.counts.items()))
        return hashlib.sha256(told.encode()).hexdigest()

    def _send(self) -> None:
        self._settle(LOADERS - 1)
        data, self._parts, self._waiting = b"".join(self._parts), [], 0
        if data:
            self._pending.append(self._workers.submit(self._load, data))

    def _load(self, data: bytes) -> None:
        # Lenient: every term came from the library, which has checked it already.
        self.store.bulk_load(data, format=RdfFormat.N_QUADS, lenient=True)

    def _settle(self, left: int) -> None:
        """Wait until no more than so many batches are loading; their errors come up here."""
        while len(self._pending) > left:
            self._pending.pop(0).result()
