"""Puts the sources and the built graph into the wheel, so that `pip install` gives a working tool in an empty folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GraphHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the graph from the sources beside this file, then carries it as `hypomag/data`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "src"))
        from hypomag import builds, sources

        out = Path(self.directory) / "graph"
        builds.build(sources.Sources(root), out, force=True)
        include = build_data["force_include"]
        for folder in ("ontology", "shapes", "queries"):
            include[str(root / folder)] = f"hypomag/data/{folder}"
        # The formats that can be exported from the store are not shipped twice.
        for name in ("hypomag.nq", "manifest.json", "coverage.json", "void.ttl", "mappings.sssom.tsv", "names.tsv", "store"):
            include[str(out / name)] = f"hypomag/data/build/{name}"
        # The page that asks, where `make frontend` has built it; without Node.js the wheel does without.
        bundle = root / "frontend" / "dist"
        if bundle.is_dir():
            include[str(bundle)] = "hypomag/data/frontend"
