"""Read an exported SSSOM table with sssom and run all its checks; runs in an environment of its own.

Usage: sssom_report.py FILE [--convert]. Prints JSON: the version, the mappings and columns as read, what each check found, and with --convert
for each format that sssom converts to how many negated mappings come out as matches.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
from collections import Counter
from importlib import metadata
from pathlib import Path

from rdflib import Graph, URIRef
from sssom.constants import DEFAULT_VALIDATION_TYPES
from sssom.parsers import parse_sssom_table
from sssom.validators import validate

logging.disable(logging.ERROR)


FORMATS = ("owl", "rdf", "json", "fhir_json", "ontoportal_json")


def matches(form: str, text: str) -> set[tuple[str, str]]:
    """The pairs, as CURIEs or IRIs, that a converted table gives as matches."""
    if form in ("owl", "rdf"):
        return {(str(s), str(o)) for s, _, o in Graph().parse(data=text, format="turtle") if isinstance(o, URIRef)}
    found = json.loads(text)
    if form == "json":
        return {(m["subject_id"], m["object_id"]) for m in found["mappings"] if m.get("predicate_modifier") != "Not"}
    if form == "fhir_json":
        return {(e["code"], t["code"]) for g in found["group"] for e in g["element"] for t in e["target"]}
    return {tuple(each["classes"]) for each in found}


def turned(path: str, rows: list[dict[str, str]], spaces: dict[str, str]) -> dict[str, int]:
    """Format → how many pairs that the table only denies are matches in it."""

    def expanded(curie: str) -> str:
        prefix, _, local = curie.partition(":")
        return spaces[prefix] + local

    stated = {(r["subject_id"], r["object_id"]) for r in rows if r["predicate_modifier"] != "Not"}
    denied = {(r["subject_id"], r["object_id"]) for r in rows if r["predicate_modifier"] == "Not"} - stated
    found = {}
    for form in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "converted"
            tool = Path(sys.executable).parent / "sssom"
            subprocess.run([tool, "convert", path, "-O", form, "-o", out], check=True, capture_output=True)
            pairs = matches(form, out.read_text(encoding="utf-8"))
        found[form] = sum(pair in pairs or (expanded(pair[0]), expanded(pair[1])) in pairs for pair in denied)
    return found


def main() -> None:
    table = parse_sssom_table(sys.argv[1])
    rows = table.df.fillna("").to_dict("records")
    found = validate(table, DEFAULT_VALIDATION_TYPES, fail_on_error=False)
    report = {
        "version": metadata.version("sssom"),
        "rows": len(rows),
        "columns": {name: sum(1 for r in rows if r[name]) for name in table.df.columns},
        "turned": turned(sys.argv[1], rows, table.converter.bimap) if "--convert" in sys.argv else {},
        "predicates": dict(sorted(Counter(f"{r.get('predicate_modifier', '')} {r['predicate_id']}".strip() for r in rows).items())),
        "checks": {str(kind.value): [result.message for result in each.results] for kind, each in found.items()},
    }
    json.dump(report, sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
