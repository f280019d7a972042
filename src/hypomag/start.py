"""The entry point: the quick way for a plain query, the command line for the rest, one error boundary for both."""

from __future__ import annotations

import os
import sys

from hypomag.errors import HypomagError


def main() -> None:
    """Run `hypomag`; the one place where our errors become messages and exit codes."""
    arguments = sys.argv[1:]
    try:
        sys.exit(_run(arguments))
    except HypomagError as error:
        print(f"hypomag: {error.message}", file=sys.stderr)
        if error.remedy:
            print(f"  {error.remedy}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        # Nobody reads on (a closed pipe is no fault), or standard output has no room.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            sys.exit(0)
        print(f"hypomag: {error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)


def _run(arguments: list[str]) -> int:
    # Importing click takes longer than a query; a query with plain options does without it.
    if arguments[:1] == ["query"]:
        from hypomag import asking

        asked = asking.plainly(arguments[1:])
        if asked:
            asking.ask(asked, terminal=sys.stdout.isatty())
            return 0
    from hypomag import cli

    return cli.run(arguments)
