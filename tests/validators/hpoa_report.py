"""Read an exported phenotype.hpoa with hpo-toolkit, row by row; runs in an environment of its own.

Usage: hpoa_report.py FILE HP.OBO. Prints JSON: the version, each row as the library read it, what it warned of, and for each
disease and term how many of how many patients it makes of all rows together.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import hpotk
from hpotk.annotations.load.hpoa import SimpleHpoaDiseaseLoader


class Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


class Loader(SimpleHpoaDiseaseLoader):
    """The library's loader, which also keeps the rows that it makes diseases of."""

    def __init__(self, ontology: hpotk.MinimalOntology) -> None:
        super().__init__(ontology)
        self.rows: list[dict[str, object]] = []

    def _assemble_hpo_disease(self, disease_curie, hpoa_lines):  # type: ignore[no-untyped-def]
        for line in hpoa_lines:
            self.rows.append({
                "disease": line.disease_id, "name": line.disease_name, "negated": line.is_negated, "term": line.phenotype_term_id,
                "references": [r.identifier.value for r in line.annotation_references],
                "evidence": [r.evidence_code.name for r in line.annotation_references], "onset": line.onset,
                "frequency": line.frequency, "sex": line.sex.name if line.sex else "",
                "modifiers": [m.value for m in line.modifiers], "aspect": line.aspect.name, "curators": line.curators,
            })  # fmt: skip
        return super()._assemble_hpo_disease(disease_curie, hpoa_lines)


def obographs(obo: Path) -> dict[str, object]:
    """The tree of hp.obo in the form that hpo-toolkit loads."""
    nodes: list[dict[str, object]] = []
    edges: list[dict[str, str]] = []
    dead: set[str] = set()
    term = ""

    def iri(curie: str) -> str:
        return "http://purl.obolibrary.org/obo/" + curie.replace(":", "_")

    for text in obo.read_text(encoding="utf-8").splitlines():
        if text.startswith("id: "):
            term = text[4:].strip()
        elif text.startswith("name: ") and term.startswith("HP:"):
            nodes.append({"id": iri(term), "lbl": text[6:], "type": "CLASS"})
        elif text == "is_obsolete: true":
            dead.add(iri(term))
        elif text.startswith("is_a: ") and term.startswith("HP:"):
            edges.append({"sub": iri(term), "pred": "is_a", "obj": iri(text[6:].split()[0])})
    meta = {"version": "http://purl.obolibrary.org/obo/hp/releases/2025-01-16/hp.json"}
    return {"graphs": [{"nodes": [n for n in nodes if n["id"] not in dead], "edges": edges, "meta": meta}]}


def main() -> None:
    heard = Warnings()
    logging.getLogger("hpotk").addHandler(heard)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "hp.json"
        place.write_text(json.dumps(obographs(Path(sys.argv[2]))), encoding="utf-8")
        ontology = hpotk.load_minimal_ontology(str(place))
    heard.messages.clear()
    loader = Loader(ontology)
    diseases = loader.load(sys.argv[1])
    report = {
        "version": metadata.version("hpo-toolkit"),
        "release": diseases.version,
        "warnings": heard.messages,
        "rows": loader.rows,
        "ratios": {
            f"{disease.identifier.value} {annotation.identifier.value}": [annotation.numerator, annotation.denominator]
            for disease in diseases
            for annotation in disease.annotations
        },
    }
    json.dump(report, sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
