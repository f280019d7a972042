"""Read an exported SSSOM table with sssom and run all its checks; runs in an environment of its own.

Usage: sssom_report.py FILE. Prints JSON: the version, the mappings as read, and what each check found.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from importlib import metadata

from sssom.constants import DEFAULT_VALIDATION_TYPES
from sssom.parsers import parse_sssom_table
from sssom.validators import validate

logging.disable(logging.ERROR)


def main() -> None:
    table = parse_sssom_table(sys.argv[1])
    rows = table.df.fillna("").to_dict("records")
    found = validate(table, DEFAULT_VALIDATION_TYPES, fail_on_error=False)
    report = {
        "version": metadata.version("sssom"),
        "rows": len(rows),
        "predicates": dict(sorted(Counter(f"{r.get('predicate_modifier', '')} {r['predicate_id']}".strip() for r in rows).items())),
        "checks": {str(kind.value): [result.message for result in each.results] for kind, each in found.items()},
    }
    json.dump(report, sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
