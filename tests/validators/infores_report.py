"""Print as JSON every id of an information resource that the package of the Information Resource Registry names.

The package carries no catalogue, but a table of which resource consumes which; resources that nobody consumes are not in it. It is
installed without its dependencies, and read as a file.
"""

from __future__ import annotations

import csv
import json
import sys
import sysconfig
from pathlib import Path

TABLE = Path(sysconfig.get_path("purelib")) / "information_resource_registry" / "translator_dataflow" / "data" / "consume_info.csv"


def main() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        named = {cell for row in csv.reader(file) for cell in row if cell.startswith("infores:")}
    json.dump({"named": sorted(named)}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
