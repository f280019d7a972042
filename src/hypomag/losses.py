"""The loss report: what of the claims has no place in a format of others, counted and listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from hypomag.claims import Claim, Claims

CLAIM, LINE, DETAIL, MAPPING = "claim", "line", "detail", "mapping"
COLUMNS = ("lost", "claim", "kind", "part", "reason", "label")
RETRACTED = "retracted"
TWICE = "its reference is counted for the same finding already, by an HPO annotation or a phenotype claim; an onset or severity that it adds goes with it"
ANIMALS = "from animals or cells: what the format says is of people"
NO_TERM = "no HPO term names this state of the variable"


@dataclass(frozen=True)
class Loss:
    """What did not go along: a whole claim, one evidence line of a claim that did, or one detail of such a claim; or a mapping.

    `part` is the IRI of the line, or the property and value of the detail; empty for a whole claim. Of a mapping `claim`, `kind` and `part`
    are subject, predicate and object.
    """

    lost: str
    claim: str
    kind: str
    label: str
    reason: str
    part: str = ""


@dataclass
class Losses:
    """The report of one export, filled while it is made; `lines` counts the evidence lines that went along, `mappings` what SSSOM holds.

    `unlisted` counts claims that were left out all together, for one reason, without a row for each.
    """

    form: str
    claims: int
    lines: int = 0
    mappings: int | None = None
    unlisted: int = 0
    items: list[Loss] = field(default_factory=list)

    def add(self, lost: str, claim: Claim, reason: str, part: str = "") -> None:
        self.items.append(Loss(lost, claim.iri, claim.kind, claim.label, reason, part))

    def of(self, lost: str) -> list[Loss]:
        """All losses of one sort, by kind of claim, claim and part."""
        return sorted((item for item in self.items if item.lost == lost), key=lambda i: (i.kind, i.claim, i.part, i.reason))

    def counts(self, lost: str) -> dict[str, int]:
        """How many losses of one sort there are by kind of claim.

        >>> Losses("x", 1, items=[Loss(CLAIM, "claim:a", "GapClaim", "A", "no such thing there")]).counts(CLAIM)
        {'GapClaim': 1}
        """
        return dict(sorted(Counter(item.kind for item in self.of(lost)).items()))

    def summary(self) -> str:
        """What went along and what did not, in one to a few lines."""
        gone = self.counts(CLAIM)
        written = "" if self.mappings is None else f"{self.mappings} mappings written; "
        kept = self.claims - sum(gone.values()) - self.unlisted
        out = [f"{self.form}: {written}{kept} of {self.claims} claims went along, with {self.lines} evidence lines"]
        if gone:
            out.append("  left out: " + ", ".join(f"{kind} {n}" for kind, n in gone.items()))
        if self.unlisted:
            out.append(f"  left out and not listed: {self.unlisted} claims")
        for reason, n in sorted(Counter(item.reason for item in self.of(MAPPING)).items()):
            out.append(f"  mappings: {n} {reason}")
        if parts := [f"{len(self.of(lost))} {lost}s" for lost in (LINE, DETAIL) if self.of(lost)]:
            out.append(f"  of the claims that went along: {' and '.join(parts)} without a place of their own")
        return "\n".join(out)

    def as_tsv(self) -> str:
        """The whole list, one loss a row: whole claims first, then lines, then details, then mappings."""
        rows = [[i.lost, i.claim, i.kind, i.part, i.reason, i.label] for lost in (CLAIM, LINE, DETAIL, MAPPING) for i in self.of(lost)]
        return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in [list(COLUMNS), *rows])


def one_reason(claim: Claim, unfit: Mapping[str, str], several: str) -> str:
    """Why no line of a claim went along: that of its supporting lines, else of all, where they have one; `several` where they do not."""
    for lines in ([line for line in claim.lines if line.supports], claim.lines):
        reasons = {unfit[line.iri] for line in lines}
        if reasons:
            return reasons.pop() if len(reasons) == 1 else several
    return several


def all_lost(form: str, claims: Claims, reason: str) -> Losses:
    """The report of a format that carries no claims at all."""
    losses = Losses(form, len(claims.claims))
    for claim in claims.claims:
        losses.add(CLAIM, claim, RETRACTED if claim.status == RETRACTED else reason)
    return losses
