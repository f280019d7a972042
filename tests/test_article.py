"""The source article, statement by statement: the question that asks for it, the claim that answers it.

S1 to S22 are the statements of the article on primary hypomagnesemia from which the graph set out (docs/model.md).
"""

from __future__ import annotations

import pytest
from pyoxigraph import NamedNode, Store

from hypomag import queries, sources
from hypomag.sources import BASE, VOCAB
from tests.conftest import ROOT

CATALOGUE = queries.catalogue(sources.find(ROOT))
WIKIMD = NamedNode(BASE + "reference/wikimd-primary-hypomagnesemia")

# statement, what it says (in our words), the catalogue's question, the claims that answer it
STATEMENTS = [
    ("S1", "rare; a disorder of electrolytes", "what-is-it", ["fph-rare-disease", "fph-electrolyte-disorder"]),
    ("S2", "little magnesium in the blood", "hallmark-findings", ["fph-hypomagnesemia"]),
    ("S3", "magnesium serves nerve, muscle, calcium and potassium", "magnesium-roles",
     ["magnesium-serves-nerve-conduction", "magnesium-serves-muscle-contraction", "magnesium-serves-calcium-regulation", "magnesium-serves-potassium-regulation"]),
    ("S4", "genetic, not from diet, medicines or other conditions", "what-is-it", ["fph-genetic-disease"]),
    ("S5", "changes impair absorption or retention", "laboratory-signature", ["fph-intestinal-magnesium-absorption-low"]),
    ("S6", "genes of transport proteins in kidney and gut", "where-it-acts", ["fph-site-kidney", "fph-site-intestine"]),
    ("S7", "TRPM6 is the best known gene", "which-genes", ["fph-causation-trpm6"]),
    ("S8", "its changes lead to FHSH", "which-genes", ["fhsh-causation-trpm6"]),
    ("S9", "signs differ between people", "what-is-it", ["fph-variable-expression"]),
    ("S10", "neuromuscular and neurological signs", "hallmark-findings", ["fph-muscle-weakness", "fph-tremor", "fph-tetany", "fph-seizures"]),
    ("S11", "severe and lasting: cardiac arrest, coma", "complications", ["fph-cardiac-arrest", "fph-coma"]),
    ("S12", "examination, family history, laboratory tests", "how-is-it-diagnosed",
     ["fph-diagnosis-clinical-evaluation", "fph-diagnosis-family-history", "fph-diagnosis-laboratory-tests"]),
    ("S13", "magnesium is measured in the serum", "how-is-it-diagnosed", ["fph-diagnosis-serum-magnesium"]),
    ("S14", "below 1.7 mg/dL (0.7 mmol/L)", "thresholds", ["hypomagnesemia-threshold-0.7-mmol-l"]),
    ("S15", "genetic testing", "how-is-it-diagnosed", ["fph-diagnosis-genetic-testing"]),
    ("S16", "tests of renal magnesium wasting", "how-is-it-diagnosed", ["fph-diagnosis-urine-magnesium", "fph-diagnosis-fractional-excretion"]),
    ("S17", "correct the deficiency, address the cause", "how-is-it-treated", ["fph-treatment-magnesium", "fph-treatment-cause"]),
    ("S18", "by mouth or vein according to severity", "how-is-it-treated", ["fph-treatment-oral-magnesium", "fph-treatment-intravenous-magnesium"]),
    ("S19", "long by vein where the mouth fails", "how-is-it-treated", ["fph-treatment-long-term-intravenous"]),
    ("S20", "diet helps, but is not enough", "treatments-that-failed", ["fph-treatment-diet-alone-insufficient"]),
    ("S21", "outlook varies; near-normal lives under treatment", "prognosis", ["fph-prognosis-variable", "fph-prognosis-near-normal-life-treated"]),
    ("S22", "monitoring and treatment go on", "monitoring", ["fph-monitoring-serum-magnesium"]),
]  # fmt: skip
# The one statement for which no source that was read says more than the article.
ARTICLE_ALONE = {"fph-coma"}


def test_all_22_statements_have_a_row() -> None:
    assert [s for s, *_ in STATEMENTS] == [f"S{n}" for n in range(1, 23)]


@pytest.mark.parametrize(("statement", "meaning", "question", "claims"), STATEMENTS, ids=[s for s, *_ in STATEMENTS])
def test_a_question_finds_the_claim_with_better_evidence_than_the_article(
    store: Store, statement: str, meaning: str, question: str, claims: list[str]
) -> None:
    rows = list(queries.run(store, CATALOGUE[question].text))
    found = {row["claim"].value for row in rows}
    for slug in claims:
        claim = NamedNode(f"{BASE}claim/{slug}")
        assert claim.value in found, f"{statement} ({meaning}): {question} does not give {slug}"
        answers = {q.object.value for q in store.quads_for_pattern(claim, NamedNode(VOCAB + "answers"), None, None)}
        assert statement in answers
        lines = [q.object for q in store.quads_for_pattern(claim, NamedNode(VOCAB + "evidence"), None, None)]
        cited = {
            q.object for line in lines for q in store.quads_for_pattern(line, NamedNode("http://purl.org/dc/terms/source"), None, None)
        }
        assert WIKIMD in cited, f"{slug} does not cite the article"
        assert (cited == {WIKIMD}) == (slug in ARTICLE_ALONE), f"{slug}: better evidence than the article"


def test_the_catalogue_covers_the_article(store: Store) -> None:
    rows = queries.run(store, CATALOGUE["article-statements"].text)
    assert {row["statement"].value for row in rows} == {s for s, *_ in STATEMENTS}
