"""What the graph covers: claims per subject and kind, source rows used and set aside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pyoxigraph import Store

from hypomag import prefixes
from hypomag.queries import run
from hypomag.results import table

_CLAIMS = """
SELECT ?subject ?subjectLabel ?kind ?claim
  (MAX(IF(BOUND(?grade) && ?grade = "A", 1, 0)) AS ?primary) (MAX(IF(?lifted, 1, 0)) AS ?fromHpoa)
WHERE {
  ?claim a hm:Claim , ?kind ; hm:subject ?subject ; hm:evidence ?line .
  ?kind rdfs:subClassOf hm:Claim .
  ?subject rdfs:label ?subjectLabel .
  OPTIONAL { ?line hm:readingGrade ?grade }
  BIND(EXISTS { ?line hm:hpoaEvidence ?code } AS ?lifted)
}
GROUP BY ?subject ?subjectLabel ?kind ?claim
"""
_ROWS = """
SELECT ?row ?table ?disease ?topic ?grade ?reason (COUNT(DISTINCT ?node) AS ?uses) WHERE {
  ?row a hm:Row ; hm:table ?table .
  OPTIONAL { ?row hm:diseaseKey ?disease }
  OPTIONAL { ?row hm:topic ?topic }
  OPTIONAL { ?row hm:readingGrade ?grade }
  OPTIONAL { ?row hm:reason ?reason }
  OPTIONAL { ?node hm:sourceRow ?row }
}
GROUP BY ?row ?table ?disease ?topic ?grade ?reason ORDER BY ?row
"""


@dataclass(frozen=True)
class Coverage:
    """Counts of claims by subject and kind, and the fate of every source row.

    `claims` maps (subject CURIE, subject label, kind) to (claims, of these with a line read from a
    primary text, of these lifted from HPOA); `unused` lists (row, grade, table, reason).
    """

    claims: dict[tuple[str, str, str], tuple[int, int, int]]
    used: dict[str, int]
    unused: list[tuple[str, str, str, str]]

    @property
    def total(self) -> int:
        return sum(n for n, _, _ in self.claims.values())

    def as_json(self) -> dict[str, object]:
        return {
            "claims": self.total,
            "subjects": [
                {"subject": s, "label": label, "kind": kind, "claims": n, "primary": primary, "lifted": lifted}
                for (s, label, kind), (n, primary, lifted) in self.claims.items()
            ],
            "rows": {
                "used": self.used,
                "unused": [{"row": r, "grade": g, "table": t, "reason": why} for r, g, t, why in self.unused],
            },
        }

    def as_text(self, subject: str | None = None) -> str:
        """Tables for a terminal; with `subject` (a CURIE) only that one's kinds."""
        if subject:
            rows = [[k, str(n), str(p), str(lifted)] for (s, _, k), (n, p, lifted) in self.claims.items() if s == subject]
            return table(["kind of claim", "claims", "with primary text", "from HPOA"], rows)
        sums: dict[tuple[str, str], list[int]] = {}
        for (s, label, kind), (n, primary, _) in self.claims.items():
            entry = sums.setdefault((s, label), [0, 0, 0])
            entry[0] += n
            entry[1] += primary
            entry[2] += n if kind == "GapClaim" else 0
        ordered = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
        out = [table(["subject", "label", "claims", "with primary text", "gaps"], [[s, label, *map(str, n)] for (s, label), n in ordered])]
        kinds: dict[str, list[str]] = {}
        for (s, label, kind), (n, primary, lifted) in self.claims.items():
            if s.startswith("MONDO:"):
                more = ", ".join(part for part in (f"{primary} primary" if primary else "", f"{lifted} HPOA" if lifted else "") if part)
                kinds.setdefault(label, []).append(f"{kind.removesuffix('Claim')} {n}" + (f" ({more})" if more else ""))
        out.append(
            table(
                ["disease", "claims by kind (with a primary text, with an HPO annotation)"],
                [[d, "; ".join(k)] for d, k in sorted(kinds.items())],
                80,
            )
        )
        fates: Counter[tuple[str, str]] = Counter()
        for name, count in self.used.items():
            fates[(name, "used")] += count
        for _, _, name, why in self.unused:
            fates[(name, why or "not yet")] += 1
        out.append(table(["source table", "fate of the row", "rows"], [[t, why, str(n)] for (t, why), n in sorted(fates.items())], 90))
        out.append(f"{self.total} claims in all\n")
        return "\n".join(out)


def measure(store: Store) -> Coverage:
    """Count what a graph covers."""
    claims: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    for row in run(store, _CLAIMS):
        kind = row["kind"].value.rpartition("#")[2]
        key = (prefixes.shorten(row["subject"].value), row["subjectLabel"].value, kind)
        n, primary, lifted = claims.get(key, (0, 0, 0))
        claims[key] = (n + 1, primary + int(row["primary"].value), lifted + int(row["fromHpoa"].value))
    used: Counter[str] = Counter()
    unused = []
    for row in run(store, _ROWS):
        name = row["table"].value
        if int(row["uses"].value):
            used[name] += 1
        else:
            grade = row["grade"].value if row["grade"] else ""
            why = row["reason"].value if row["reason"] else ""
            unused.append((row["row"].value.rpartition("/")[2], grade, name, why))
    return Coverage(dict(sorted(claims.items())), dict(sorted(used.items())), unused)
