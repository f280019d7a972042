"""The workers of a server in two lanes: every query starts in the quick one; a long one is moved out of the way, at last killed.

A query that has not ended after `QUICK` seconds leaves the quick lane. While the slow lane has room it takes its worker along, at the
lowest priority of the system and on half of its cores, and a new worker takes the place; else it is stopped and waits to begin anew. A query that was long
once begins in the slow lane the next time. So endless queries, however many, hold a worker of the quick lane for `QUICK` seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from hypomag import workers
from hypomag.errors import GraphUnavailable

QUICK = 0.1
LONG_KNOWN = 1024  # how many long queries are remembered
TIMED_OUT, BUSY, BROKEN = 100, 101, 102  # beside the kinds of answer of `workers`
Reply = tuple[int, bytes]


@dataclass(frozen=True)
class Limits:
    """What one server gives: seconds, rows and triples, bytes of a request, megabytes of memory a query, workers, queries that wait.

    `unread`: seconds that a client may leave an answer unread. `outgoing`: bytes of large answers that are on their way at once.
    """

    seconds: float = 30.0
    rows: int = 100_000
    body: int = 1 << 20
    memory: int = 1024
    quick: int = 2
    slow: int = 2
    waiting: int = 64
    unread: float = 30.0
    outgoing: int = 256 << 20


class Busy(Exception):
    """As many queries wait as may."""


class Job:
    """One query on its way; `watchers` counts the requests that wait for it."""

    def __init__(self, key: bytes, frame: bytes, future: asyncio.Future[Reply]) -> None:
        self.key = key
        self.frame = frame
        self.future = future
        self.worker: Worker | None = None
        self.watchers = 1
        self.began = 0.0
        self.limit: asyncio.TimerHandle | None = None
        self.quick: asyncio.TimerHandle | None = None


class Worker(asyncio.Protocol):
    """The server's end of the socket to one worker process."""

    def __init__(self, pid: int, lanes: Lanes) -> None:
        self.pid = pid
        self.lanes = lanes
        self.job: Job | None = None
        self.next: Job | None = None  # sent already, so that the worker never waits for the server
        self.slow = False
        self.transport: asyncio.Transport | None = None
        self._data = bytearray()
        self._due = 0  # bytes that have to be there before it is worth looking

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._data:
            self._data += data
            if len(self._data) < self._due:
                return
            data = bytes(self._data)
            self._data.clear()
        self._due = workers.REPLY.size
        while len(data) >= workers.REPLY.size:
            kind, size = workers.REPLY.unpack_from(data)
            end = workers.REPLY.size + size
            if len(data) < end:
                self._due = end
                break
            self.lanes.replied(self, (kind, data[workers.REPLY.size : end]))
            data = data[end:]
        self._data += data

    def connection_lost(self, error: Exception | None) -> None:
        self.lanes.lost(self)


class Lanes:
    """Runs queries over one file of N-Quads, within limits. Use `start` and `stop` in a running event loop."""

    def __init__(self, dataset: Path, limits: Limits) -> None:
        self.dataset = dataset
        self.limits = limits
        self.started = self.killed = 0
        self._idle: list[Worker] = []
        self._every: set[Worker] = set()
        self._slow: set[Worker] = set()
        self._expected = 0  # workers that were asked for and have not come
        self._stopped = False
        self._quick_waiting: deque[Job] = deque()
        self._slow_waiting: deque[Job] = deque()
        self._long: OrderedDict[bytes, None] = OrderedDict()
        self._pending: set[asyncio.Task[None]] = set()
        self._nursery: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    async def start(self) -> None:
        """Start the nursery and the workers of the quick lane; done when the first is there.

        Raises:
            GraphUnavailable: the nursery ended before that.
        """
        self._loop = asyncio.get_running_loop()
        self._ready = self._loop.create_future()
        self._nurse()
        await self._ready

    def _nurse(self) -> None:
        near, far = socket.socketpair()
        command = [sys.executable, "-m", "hypomag.workers", str(self.dataset), str(far.fileno()), str(self.limits.memory)]
        # A session of its own: Ctrl-C at the terminal is for the server, which then ends the nursery.
        self._nursery = subprocess.Popen(command, pass_fds=[far.fileno()], stdin=subprocess.DEVNULL, start_new_session=True)
        far.close()
        near.setblocking(False)
        self._control = near
        self._expected = 0
        self._loop.add_reader(near, self._born)
        self._top_up()

    async def stop(self) -> None:
        """End all workers and the nursery."""
        self._stopped = True
        if self._control:
            self._loop.remove_reader(self._control)
            self._control.close()
            self._control = None
        every, self._every = self._every, set()
        self._idle.clear()
        for worker in every:
            if worker.transport:
                worker.transport.abort()
        if self._nursery:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._nursery.wait, 10)

    def state(self) -> dict[str, int]:
        """How many workers there are and what they do, how many queries wait."""
        return {
            "idle": len(self._idle),
            "running": sum(1 for w in self._every if w.job and not w.slow),
            "long": len(self._slow),
            "waiting": len(self._quick_waiting) + len(self._slow_waiting),
            "started": self.started,
            "killed": self.killed,
        }

    def submit(self, key: bytes, payload: bytes, seconds: float | None = None) -> Job:
        """Send a query on its way; its `future` has the reply in the end, whatever happens.

        Raises:
            Busy: too many wait already.
        """
        job = Job(key, workers.LENGTH.pack(len(payload)) + payload, self._loop.create_future())
        if key in self._long:
            self._to_slow(job)
        elif self._idle:
            self._run(self._idle.pop(), job)
        elif len(self._quick_waiting) >= self.limits.waiting:
            raise Busy
        else:
            self._quick_waiting.append(job)
            self._send_ahead()
        job.limit = self._loop.call_later(seconds or self.limits.seconds, self._over, job)
        return job

    def abandon(self, job: Job) -> None:
        """One who waited for a query has gone; with the last the query ends."""
        job.watchers -= 1
        if job.watchers <= 0 and not job.future.done():
            self._stop_job(job)
            self._end(job, (BROKEN, b"nobody waits"))

    def _run(self, worker: Worker, job: Job, *, slow: bool = False) -> None:
        if slow:
            self._demote(worker)
        self._begin(worker, job)
        assert worker.transport
        worker.transport.write(job.frame)

    def _begin(self, worker: Worker, job: Job) -> None:
        worker.job, job.worker = job, worker
        job.began = self._loop.time()
        if not worker.slow:
            job.quick = self._loop.call_later(QUICK, self._overdue, job)

    def _send_ahead(self) -> None:
        """Give a busy worker its next query, too."""
        for worker in self._every:
            if worker.job and not worker.next and not worker.slow and self._quick_waiting:
                worker.next = job = self._quick_waiting.popleft()
                assert worker.transport
                worker.transport.write(job.frame)

    def _take_back(self, worker: Worker) -> None:
        """What was sent ahead to a worker that will not get to it waits again, before all others."""
        job, worker.next = worker.next, None
        if job and not job.future.done():
            self._quick_waiting.appendleft(job)
            if self._idle:
                self._rest(self._idle.pop())

    def _demote(self, worker: Worker) -> None:
        worker.slow = True
        self._take_back(worker)
        self._slow.add(worker)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "linux":
                # It runs when nothing else wants to, which is told apart only at the next tick where every core has such a query.
                os.sched_setscheduler(worker.pid, os.SCHED_IDLE, os.sched_param(0))
                cores = sorted(os.sched_getaffinity(0))
                os.sched_setaffinity(worker.pid, cores[len(cores) // 2 :])
            else:
                os.setpriority(os.PRIO_PROCESS, worker.pid, 19)

    def _overdue(self, job: Job) -> None:
        """A query that is no quick one leaves the quick lane."""
        worker = job.worker
        if worker is None or job.future.done():
            return
        self._long[job.key] = None
        if len(self._long) > LONG_KNOWN:
            self._long.popitem(last=False)
        if len(self._slow) < self.limits.slow:
            self._demote(worker)
            self._top_up()
        else:
            self._stop_job(job)
            with contextlib.suppress(Busy):
                self._to_slow(job)
                return
            self._end(job, (BUSY, b"too many long queries"))

    def _to_slow(self, job: Job) -> None:
        if len(self._slow_waiting) >= self.limits.waiting:
            raise Busy
        self._slow_waiting.append(job)
        self._next_slow()

    def _next_slow(self) -> None:
        while self._slow_waiting and len(self._slow) < self.limits.slow and self._idle:
            job = self._slow_waiting.popleft()
            if not job.future.done():
                self._run(self._idle.pop(), job, slow=True)
        self._top_up()

    def _over(self, job: Job) -> None:
        if not job.future.done():
            self._stop_job(job)
            self._end(job, (TIMED_OUT, b"the query took too long"))

    def _stop_job(self, job: Job) -> None:
        """Kill the worker of a query, or take it from where it waits."""
        for waiting in (self._quick_waiting, self._slow_waiting):
            with contextlib.suppress(ValueError):
                waiting.remove(job)
        if job.worker:
            worker, job.worker = job.worker, None
            worker.job = None
            self._kill(worker)

    def _end(self, job: Job, reply: Reply) -> None:
        if job.limit:
            job.limit.cancel()
        if job.quick:
            job.quick.cancel()
        if not job.future.done():
            job.future.set_result(reply)

    def _kill(self, worker: Worker) -> None:
        self.killed += 1
        self._tell(b"-", worker.pid)
        self._forget(worker)
        if worker.transport:
            worker.transport.abort()
        self._next_slow()

    def _forget(self, worker: Worker) -> None:
        self._every.discard(worker)
        self._slow.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        self._take_back(worker)

    def replied(self, worker: Worker, reply: Reply) -> None:
        """A worker has answered: take the next query, or rest."""
        job, worker.job = worker.job, None
        if job:
            job.worker = None
            self._end(job, reply)
            if worker.slow and self._loop.time() - job.began < QUICK:
                self._long.pop(job.key, None)
        if worker.slow:
            self._kill(worker)  # nobody but root may raise its priority again
            return
        if worker.next:
            ahead, worker.next = worker.next, None
            self._begin(worker, ahead)
            if self._quick_waiting:
                self._send_ahead()
            return
        if len(self._every) - len(self._slow) > self.limits.quick and not self._slow_waiting:
            self._kill(worker)
            return
        self._rest(worker)

    def _rest(self, worker: Worker) -> None:
        while self._quick_waiting:
            job = self._quick_waiting.popleft()
            if not job.future.done():
                self._run(worker, job)
                self._send_ahead()
                return
        self._idle.append(worker)
        if self._slow_waiting:
            self._next_slow()

    def lost(self, worker: Worker) -> None:
        """A worker has ended by itself: the query broke it, most likely for want of memory."""
        if worker not in self._every:
            return
        self._forget(worker)
        job, worker.job = worker.job, None
        if job:
            job.worker = None
            self._end(job, (BROKEN, b"the query ended its process: most likely it needed more memory than it may have"))
        self._next_slow()

    def _top_up(self) -> None:
        """Have as many workers as the quick lane needs, and one for each long query that may begin."""
        startable = min(len(self._slow_waiting), self.limits.slow - len(self._slow))
        missing = self.limits.quick + max(startable, 0) - (len(self._every) - len(self._slow)) - self._expected
        for _ in range(max(missing, 0)):
            self._expected += 1
            self._tell(b"+", 0)

    def _tell(self, what: bytes, number: int) -> None:
        if self._control:
            with contextlib.suppress(ConnectionError):  # its end is seen where its socket is read
                self._control.send(workers.ORDER.pack(what, number))

    def _born(self) -> None:
        """A worker has come from the nursery."""
        assert self._control
        try:
            told, handles, _, _ = socket.recv_fds(self._control, workers.LENGTH.size, 1)
        except BlockingIOError:
            return
        except ConnectionResetError:  # killed before it had read all orders
            told = b""
        if not told:
            self._loop.remove_reader(self._control)
            self._control.close()
            self._control = None
            if not self._ready.done():
                self._ready.set_exception(GraphUnavailable(f"{self.dataset}: could not be loaded", "see the message above"))
            else:  # somebody killed it
                self._loop.call_later(1, lambda: None if self._stopped else self._nurse())
            return
        self._expected -= 1
        self.started += 1
        worker = Worker(workers.LENGTH.unpack(told)[0], self)
        task = self._loop.create_task(self._joined(worker, socket.socket(fileno=handles[0])))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _joined(self, worker: Worker, line: socket.socket) -> None:
        line.setblocking(False)
        self._every.add(worker)
        await self._loop.create_unix_connection(lambda: worker, sock=line)
        if not self._ready.done():
            self._ready.set_result(None)
        self._rest(worker)

    def on_long(self, job: Job, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back when a query turns out to be a long one."""
        return self._loop.call_later(2 * QUICK, lambda: None if job.future.done() else call())
