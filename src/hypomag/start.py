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
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


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
