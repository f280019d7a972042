"""Times of the page that asks, beside the embedded engine on the same questions: load, first answer, the slowest ten.

Run by hand: `python benchmarks/browser.py` in an environment with the groups `test` and `browser`, after `make frontend`.
Medians of rounds that take turns; the page is timed from the click to the table on the screen, the engine from the text to
the rows as JSON.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests import browsers  # noqa: E402

from hypomag import graph, queries, results, sites, sources  # noqa: E402

ROUNDS = 5
DONE = "#state:text-matches('rows? in [0-9.]+ s$')"


def main() -> None:
    """Publish the site, ask every question in both, print the table of docs/asking-in-the-page.md."""
    home = sources.Sources(ROOT)
    catalogue = queries.catalogue(home)
    store = graph.open_graph(home)
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "some" / "base"
        sites.publish(home, site)
        with browsers.opened(site) as browser:
            loads, firsts = [], []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                page = browser.page("ask")
                page.wait_for_selector("html[data-ready]")
                loads.append(time.perf_counter() - start)
                page.click("#run")
                page.wait_for_selector(DONE)
                firsts.append(float(page.get_attribute("#answer", "data-ms") or 0))
                page.context.close()
            cold = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                page = browser.page("ask#name=which-genes")
                page.wait_for_selector(DONE)
                cold.append(time.perf_counter() - start)
                page.context.close()
            print(f"page opened until the graph is loaded: {statistics.median(loads):.2f} s (slowest {max(loads):.2f})")
            print(f"first answer after load: {statistics.median(firsts):.0f} ms (slowest {max(firsts):.0f})")
            print(f"link opened until its answer stands: {statistics.median(cold):.2f} s (slowest {max(cold):.2f})")
            page = browser.page("ask")
            page.wait_for_selector("html[data-ready]")
            ours: dict[str, list[float]] = {name: [] for name in catalogue}
            theirs: dict[str, list[float]] = {name: [] for name in catalogue}
            rows: dict[str, str] = {}
            for _ in range(ROUNDS):
                for name, question in catalogue.items():
                    start = time.perf_counter()
                    results.write(queries.run(store, question.text), "json")
                    ours[name].append((time.perf_counter() - start) * 1000)
                    page.click(f"#questions a[data-name={name}]")
                    page.wait_for_selector(f"#questions a[data-name={name}][aria-current]")
                    page.wait_for_selector(DONE)
                    theirs[name].append(float(page.get_attribute("#answer", "data-ms") or 0))
                    rows[name] = page.inner_text("#state").partition(" ")[0]
            slowest = sorted(catalogue, key=lambda name: -statistics.median(ours[name]))[:10]
            print("| question | rows | embedded engine, ms | page, ms | ratio |\n|---|---|---|---|---|")
            for name in slowest:
                a, b = statistics.median(ours[name]), statistics.median(theirs[name])
                ratio = statistics.median(y / x for x, y in zip(ours[name], theirs[name], strict=True))
                print(f"| {name} | {rows[name]} | {a:.0f} | {b:.0f} | {ratio:.2f} |")
            every = [sum(statistics.median(times[n]) for n in catalogue) for times in (ours, theirs)]
            print(f"all {len(catalogue)}: {every[0]:.0f} ms and {every[1]:.0f} ms")


if __name__ == "__main__":
    main()
