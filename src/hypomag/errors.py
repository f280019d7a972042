"""The exceptions of hypomag.

HypomagError
├── InputError        a file, a name or an argument that cannot be used (exit 2)
│   ├── SyntaxProblem     text that does not parse, with its place
│   ├── UnknownName       a name that nothing in the graph bears
│   └── AmbiguousName     a name that several things bear
├── QueryTimeout      a query that was stopped at its time limit (exit 2)
├── GraphUnavailable  no graph where one was expected, or one that does not open (exit 2)
├── StoreError        a running store that cannot be reached, refuses, or loses what it was sent (exit 2)
└── BuildError        the sources do not make a publishable graph (exit 1)
"""

from __future__ import annotations


class HypomagError(Exception):
    """A problem that is told in one line, with a line of remedy where there is one."""

    exit_code = 2

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class InputError(HypomagError):
    """A file, a name or an argument that cannot be used."""


class SyntaxProblem(InputError):
    """Text that does not parse; the message begins with file, line and column."""


class UnknownName(InputError):
    """A name that nothing in the graph bears."""


class AmbiguousName(InputError):
    """A name that several things bear; the remedy lists them."""


class QueryTimeout(HypomagError):
    """A query that was stopped at its time limit."""


class GraphUnavailable(HypomagError):
    """No graph where one was expected, or one that does not open."""


class StoreError(HypomagError):
    """A running store that cannot be reached, refuses, or loses what it was sent; `status` is what HTTP said of it."""

    def __init__(self, message: str, remedy: str | None = None, status: int | None = None) -> None:
        super().__init__(message, remedy)
        self.status = status


class BuildError(HypomagError):
    """The sources do not make a publishable graph."""

    exit_code = 1
