"""Read an exported KGX folder with kgx and check it against the Biolink Model; runs in an environment of its own.

Usage: kgx_report.py FOLDER. Prints JSON: what kgx's validator says, what the model's own classes say, and what kgx read.
The network is not used: model, prefixes and classes are those inside the package biolink-model.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from importlib import metadata, resources
from pathlib import Path

import biolink_model
from biolink_model.datamodel import pydanticmodel_v2 as classes
from bmt import Toolkit
from kgx import config
from pydantic import ValidationError

logging.disable(logging.WARNING)
MODEL = resources.files(biolink_model)
# kgx fetches model and prefixes when it is imported: these are the packaged ones.
Toolkit.__init__.__defaults__ = (str(MODEL / "schema" / "biolink_model.yaml"), {"predicate mappings": []})
config.jsonld_context_map["biolink"] = json.loads((MODEL / "prefixmaps" / "biolink_model_prefix_map.json").read_text())

from kgx.transformer import Transformer  # noqa: E402
from kgx.utils.kgx_utils import GraphEntityType  # noqa: E402
from kgx.validator import Validator  # noqa: E402

OURS = "hypomag"  # prefixes of ours are not in Biolink's prefix map: they are counted apart


def validated(folder: Path, form: str) -> dict[str, object]:
    """What kgx reads from the files of one form, record by record, and what its validator says of them.

    Its graph in memory would not do: that keeps one edge for each subject, predicate and object, and mixes what parallel edges say.
    """
    nodes: list[object] = []
    edges: list[dict[str, object]] = []

    def seen(kind: GraphEntityType, record: list[object]) -> None:
        if kind == GraphEntityType.EDGE:
            edges.append(dict(record[-1]))
        else:
            nodes.append(record)

    validator = Validator(progress_monitor=seen)
    names = [str(folder / f"hypomag_{part}.{form}") for part in ("nodes", "edges")]
    Transformer(stream=True).transform({"filename": names, "format": form}, {"format": "null"}, inspector=validator)
    found: Counter[str] = Counter()
    for level, kinds in validator.get_errors().items():
        for kind, messages in kinds.items():
            for message, entities in messages.items():
                who = "a prefix of ours" if f"prefix '{OURS}." in message else message
                found[f"{level} {kind}: {who}"] += len(entities)
    return {
        "nodes": len(nodes),
        "edges": len(edges),
        "negated": sum(1 for data in edges if data.get("negated")),
        "counted": sum(1 for data in edges if data.get("has_total")),
        "onset": sum(1 for data in edges if data.get("onset_qualifier")),
        "messages": dict(sorted(found.items())),
    }


def strict(folder: Path, part: str) -> dict[str, int]:
    """Each record as an instance of the class that its category names; unknown slots are refused. Columns of ours are left aside."""
    found: Counter[str] = Counter()
    for line in (folder / f"hypomag_{part}.jsonl").read_text(encoding="utf-8").splitlines():
        record = {key: value for key, value in json.loads(line).items() if not key.startswith(OURS)}
        name = record["category"][0].removeprefix("biolink:")
        if part == "nodes":
            record["category"] = [f"biolink:{name}"]
        try:
            getattr(classes, name)(**record)
            found["valid"] += 1
        except ValidationError as error:
            first = error.errors()[0]
            found[f"{name}.{'.'.join(map(str, first['loc']))}: {first['msg']}"] += 1
    return dict(sorted(found.items()))


def fitting(folder: Path, kit: Toolkit) -> dict[str, int]:
    """Ends and predicates of each edge against domain, range and predicate of its association class."""
    view = kit.view
    nodes = {}
    for line in (folder / "hypomag_nodes.jsonl").read_text(encoding="utf-8").splitlines():
        node = json.loads(line)
        nodes[node["id"]] = set().union(*(kit.get_ancestors(c, mixin=True) for c in node["category"]))
    found: Counter[str] = Counter()
    for line in (folder / "hypomag_edges.jsonl").read_text(encoding="utf-8").splitlines():
        edge = json.loads(line)
        name = kit.get_element(edge["category"][0]).name
        problems = []
        for end in ("subject", "object"):
            wanted = view.induced_slot(end, name).range
            if wanted and wanted not in nodes[edge[end]] and wanted != "named thing":
                problems.append(f"{name}: {end} {sorted(nodes[edge[end]])[:3]} is no {wanted}")
        predicate = kit.get_element(edge["predicate"])
        if predicate is None or not kit.is_predicate(predicate.name):
            problems.append(f"{edge['predicate']} is no predicate")
        elif predicate.deprecated:
            problems.append(f"{edge['predicate']} is deprecated")
        else:
            parent = view.induced_slot("predicate", name).subproperty_of
            if parent and parent not in kit.get_ancestors(predicate.name, mixin=True):
                problems.append(f"{name}: {edge['predicate']} is not below {parent}")
        found.update(problems or ["fits"])
    return dict(sorted(found.items()))


def prefixes(folder: Path) -> dict[str, bool]:
    """Each prefix of a cross-reference or a publication, and whether Biolink's table knows it; addresses are no prefixes."""
    known = config.jsonld_context_map["biolink"]
    found = set()
    for part, key in (("nodes", "xref"), ("edges", "publications")):
        for line in (folder / f"hypomag_{part}.jsonl").read_text(encoding="utf-8").splitlines():
            found.update(value.split(":")[0] for value in json.loads(line).get(key, []))
    return {prefix: prefix in known for prefix in sorted(found - {"https"})}


def main() -> None:
    folder = Path(sys.argv[1])
    kit = Validator.get_toolkit()
    report = {
        "versions": {name: metadata.version(name) for name in ("kgx", "bmt", "biolink-model")},
        "tsv": validated(folder, "tsv"),
        "jsonl": validated(folder, "jsonl"),
        "strict": {part: strict(folder, part) for part in ("nodes", "edges")},
        "fitting": fitting(folder, kit),
        "prefixes": prefixes(folder),
    }
    json.dump(report, sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
