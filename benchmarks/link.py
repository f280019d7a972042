"""Link HPO and all its annotations, validate what was lifted, ask the linked graph: time, memory, growth.

Each step is a process of its own. Times of questions are given as multiples of F, a bare `python -c 'import pyoxigraph'`, as the
median of the per-round ratios; the link is run at 10 %, 30 % and 100 % of the annotations (every so many-th disease), and once more
by the engine alone: the same statements from one N-Quads file, so that the share of our work is seen on any machine.

Usage: python benchmarks/link.py FOLDER [RUNS] [--sets MONDO_FOLDER]

FOLDER takes about 8 GB and is emptied of what this script put there. MONDO_FOLDER holds mondo_exactmatch_omim.sssom.tsv and
mondo_exactmatch_orphanet.sssom.tsv; without it every entry keeps its own address.
"""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from hypomag import lifting

SHARES = (10, 30, 100)
QUESTIONS = {
    "lookup": (5.0, ["-e", "SELECT ?p ?o { HP:0001250 ?p ?o }"]),
    "join of 3 hops": (5.0, ["-e", "SELECT ?d ?f ?n { ?d RO:0004002 HGNC:17995 . ?d RO:0002200 ?f . ?f hm:diseasesShowing ?n }"]),
    "join, 3 hops, all lines": (0.0, ["-e", "SELECT ?c ?l ?r { ?c hm:subject MONDO:0011176 . ?c hm:evidence ?l . ?l dcterms:source ?r }"]),
    "closure": (8.0, ["findings-of-a-kind", "--bind", "disease=FHSH", "--bind", "kind=HP:0000707"]),
}
ALL = ["findings-per-disease"]
ENGINE = """
import sys, time
from pyoxigraph import RdfFormat, Store
store = Store(sys.argv[2]); store.bulk_load(path=sys.argv[1], format=RdfFormat.N_QUADS, lenient=True); store.flush()
"""
DUMP = "import sys\nfrom pyoxigraph import RdfFormat, Store\nStore.read_only(sys.argv[1]).dump(sys.argv[2], format=RdfFormat.N_QUADS)\n"
SAMPLE = """
import sys
from pathlib import Path
from hypomag import batches, sources, validation
shapes = validation.shapes_text(sources.find())
fast, reference = (batches.validate(Path(sys.argv[1]), shapes, engine=e, share=0.01) for e in validation.ENGINES)
print("alike" if fast == reference else "DIFFERENT", fast[0], len(fast[1]))
"""


def run(command: list[str]) -> tuple[float, float, float, str]:
    """Wall seconds, processor seconds, peak MB of the largest process of a command, and its standard output."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate()
    wall = time.perf_counter() - start
    if process.returncode > 1:  # 1: ran and found problems, such as references that upstream writes wrongly
        sys.exit(f"{' '.join(command[:4])}: {err}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime, after.ru_maxrss / 1024, out


def apart(command: list[str]) -> tuple[float, float, float, str]:
    """As `run`, measured in a child of its own, so that the peak is that of this command."""
    code = "import sys,json; from link import run; print(json.dumps(run(sys.argv[1:])))"
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr or done.stdout)
    wall, processor, peak, out = json.loads(done.stdout)
    return wall, processor, peak, out


def sliced(source: Path, target: Path, share: int) -> int:
    """Write the rows of so many of each hundred diseases; returns how many rows."""
    number: dict[str, int] = {}
    rows = 0
    with source.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8") as out:
        for line in lines:
            entry = line.partition("\t")[0]
            head = line.startswith(("#", "database_id"))
            if head or number.setdefault(entry, len(number)) % 100 < share:
                out.write(line)
                rows += not head
    return rows


def measure(folder: Path, runs: int, sets: Path | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    hypomag = [sys.executable, "-m", "hypomag"]
    data = lifting.packaged_folder()
    more = [str(sets / f"mondo_exactmatch_{name}.sssom.tsv") for name in ("omim", "orphanet")] if sets else []
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    print(f"{'link':>5} {'rows':>8} {'statements':>11} {'wall s':>7} {'cpu s':>7} {'MB':>6}")
    found = []
    for share in SHARES:
        part, out = folder / "phenotype.hpoa", folder / f"linked-{share}"
        rows = sliced(data / "phenotype.hpoa", part, share)
        wall, processor, peak, _ = apart([*hypomag, "link", str(data / "hp.obo"), str(part), *more, "--to", str(out), "--force"])
        statements = json.loads((out / "linked.json").read_bytes())["statements"]
        found.append((statements, processor, peak))
        print(f"{share:>4}% {rows:>8,} {statements:>11,} {wall:7.1f} {processor:7.1f} {peak:6.0f}")
    (n1, t1, m1), (n2, t2, m2) = found[0], found[-1]
    allowed = n2 * math.log(n2) / (n1 * math.log(n1))
    print(f"10% to 100%: statements x{n2 / n1:.1f}, cpu x{t2 / t1:.1f}, memory x{m2 / m1:.1f}; n log n would be x{allowed:.1f}")
    full = folder / "linked-100"
    apart([sys.executable, "-c", DUMP, str(full / "store"), str(folder / "all.nq")])
    wall, processor, peak, _ = apart([sys.executable, "-c", ENGINE, str(folder / "all.nq"), str(folder / "engine")])
    print(f"the engine alone, the same statements from one file: {wall:.1f} s, cpu {processor:.1f} s, {peak:.0f} MB")
    wall, processor, peak, _ = apart([*hypomag, "validate", "--graph-dir", str(full)])
    print(f"all lifted claims validated: {wall:.1f} s, cpu {processor:.1f} s, {peak:.0f} MB the largest of its processes")
    wall, _, _, out = apart([sys.executable, "-c", SAMPLE, str(full)])
    print(f"1 % of the diseases in both engines: {out.strip()} (subjects, findings), {wall:.1f} s")
    floor_command = [sys.executable, "-c", "import pyoxigraph"]
    commands = {
        name: [*hypomag, "query", *question, "--format", "csv", "--graph-dir", str(full)] for name, (_, question) in QUESTIONS.items()
    }
    commands["group-by over all"] = [*hypomag, "query", *ALL, "--format", "csv", "--graph-dir", str(full)]
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    rows_of = {}
    for name, command in commands.items():
        rows_of[name] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.count("\n") - 1
    for _ in range(runs):
        for name, command in commands.items():
            taken = []
            for each in (floor_command, command):
                start = time.perf_counter()
                subprocess.run(each, stdout=subprocess.DEVNULL, check=True)
                taken.append(time.perf_counter() - start)
            times[name].append((taken[1] / taken[0], taken[1]))
    print(f"{runs} rounds, load {os.getloadavg()[0]:.1f} at the end")
    for name, values in times.items():
        ratio, seconds = (statistics.median(v) for v in zip(*values, strict=True))
        goal = f"goal {QUESTIONS[name][0]:.0f} F" if QUESTIONS.get(name, (0,))[0] else "goal 2 s" if name.startswith("group") else ""
        print(f"{name:26} {ratio:6.2f} F {seconds:7.3f} s {rows_of[name]:>7,} rows  {goal}")
    for name in [f"linked-{share}" for share in SHARES] + ["engine"]:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("all.nq", "phenotype.hpoa"):
        (folder / name).unlink(missing_ok=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    mondo = Path(words[words.index("--sets") + 1]).absolute() if "--sets" in words else None
    plain = [w for k, w in enumerate(words) if w != "--sets" and (k == 0 or words[k - 1] != "--sets")]
    if not plain:
        sys.exit(__doc__)
    measure(Path(plain[0]).absolute(), int(plain[1]) if len(plain) > 1 else 7, mondo)
