"""Sources to a publishable folder: assembled, validated, exported, described, swapped into place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypomag import __version__, folders
from hypomag.errors import BuildError, InputError
from hypomag.graph import MANIFEST, STORE, is_fresh
from hypomag.sources import Sources

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """A folder that a build made, or found fresh; `warnings` are findings that do not stop a build."""

    folder: Path
    unchanged: bool
    quads: int
    triples: int
    warnings: int


def build(sources: Sources, out: Path, *, engine: str = "shifty", force: bool = False, progress: Progress = lambda _: None) -> Built:
    """Build the graph of a folder into `out`; what was there before stays until the new one is whole.

    Everything is written to a folder beside `out` first and then exchanged with it.

    Raises:
        InputError: a source is missing or does not parse, or `out` cannot be written.
        BuildError: the graph violates its shapes; the message lists the findings.
    """
    out = out.resolve()
    folders.recover(out)
    _refuse_foreign(out)
    if not force and is_fresh(sources, out):
        manifest = json.loads((out / MANIFEST).read_bytes())
        return Built(out, True, manifest["dataset"]["quads"], manifest["union"]["triples"], manifest["warnings"])

    from hypomag import coverage, exports, graph, handovers, keys, validation

    progress("reading the sources")
    store = graph.assemble(sources)
    progress("validating")
    union_nt = exports.export(store, "nt")
    found = validation.validate(union_nt, validation.shapes_text(sources), engine)
    found = validation.located(found, sources.turtle(), sources.root)
    violations = [f for f in found if f.severity == "Violation"]
    if violations:
        listed = "\n".join(f.told() for f in violations[:50])
        more = f"\n... and {len(violations) - 50} more" if len(violations) > 50 else ""
        raise BuildError(
            f"{listed}{more}\n{len(violations)} violation{'' if len(violations) == 1 else 's'}: nothing was built",
            "mend these, then build again",
        )
    progress("writing the exports")
    files = {f"hypomag.{exports.SUFFIXES[form]}": exports.export(store, form) for form in exports.FORMATS}
    handed = handovers.hand_over(store, "sssom", sources)
    files |= handed.files
    files["void.ttl"] = exports.description(store, files).encode()
    quads, triples = exports.quads(store), exports.union(store)
    version, date = exports.release(store)
    from pyoxigraph import DefaultGraph, Quad

    manifest = {
        "name": "hypomag",
        "version": version,
        "date": date,
        "program": __version__,
        "inputs": sources.digest(__version__),
        "warnings": len(found),
        "dataset": {"quads": len(quads), "rdfc10_sha256": exports.rdfc10(quads)},
        "union": {
            "triples": len(triples),
            "rdfc10_sha256": exports.rdfc10(Quad(t.subject, t.predicate, t.object, DefaultGraph()) for t in triples),
        },
        "graphs": {g.value: sum(1 for _ in store.quads_for_pattern(None, None, None, g)) for g in graph.content_graphs(store)},
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            | ({"statements": len(quads if name.endswith(("nq", "trig", "jsonld")) else triples)} if name.startswith("hypomag.") else {})
            | ({"mappings": handed.losses.mappings} if name in handed.files else {})
            for name, content in sorted(files.items())
        },
    }
    files["coverage.json"] = (json.dumps(coverage.measure(store).as_json(), ensure_ascii=False, indent=1) + "\n").encode()
    files[keys.FILE] = keys.packed(keys.lines(store))
    files[MANIFEST] = (json.dumps(manifest, indent=1) + "\n").encode()

    progress("putting it in place")
    with folders.replaced(out) as aside:
        for name, content in files.items():
            (aside / name).write_bytes(content)
        _write_store(aside / STORE, files["hypomag.nq"])
    return Built(out, False, len(quads), len(triples), len(found))


def _refuse_foreign(out: Path) -> None:
    """A build replaces an earlier build or an empty folder, never anything else."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        if json.loads((out / MANIFEST).read_bytes())["name"] == "hypomag":
            return
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise InputError(f"{out}: holds something other than a build", "name a new or empty folder with -o")


def _write_store(place: Path, dataset: bytes) -> None:
    from pyoxigraph import RdfFormat, Store

    store = Store(str(place))
    store.bulk_load(dataset, format=RdfFormat.N_QUADS)
    store.optimize()
    store.flush()
    del store
