"""How long commands take from a cold start, as multiples of a floor measured in the same run.

Floor F: `python -c "import pyoxigraph"`. Every command is run once to warm the disk, then RUNS times in turn with the others;
a figure is the median of the per-round ratios. Run it on the installed wheel (`make bench` does).

Usage: python benchmarks/cold.py [BIN_FOLDER] [RUNS]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOALS = {"query NAME": 4.0, "--help": 4.0, "build, nothing changed": 6.0}


def measure(folder: Path, runs: int) -> None:
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as empty:
        own = Path(empty) / "sources"
        own.mkdir()
        for name in ("ontology", "shapes", "queries"):
            (own / name).symlink_to(root / name)
        folder = folder.absolute()
        hypomag = str(folder / "hypomag")
        commands = {
            "floor": [str(folder / "python"), "-c", "import pyoxigraph"],
            "query NAME": [hypomag, "query", "which-genes", "--format", "csv"],
            "query NAME --bind": [hypomag, "query", "hallmark-findings", "--bind", "disease=FHSH", "--format", "csv"],
            "query -e": [hypomag, "query", "-e", "SELECT ?l { HGNC:17995 rdfs:label ?l }", "--format", "csv"],
            "--help": [hypomag, "--help"],
            "show FHSH": [hypomag, "show", "FHSH"],
            "explain TRPM6 seizure": [hypomag, "explain", "TRPM6", "seizure"],
            "build, nothing changed": [hypomag, "build", "--graph-dir", str(own)],
        }
        for command in commands.values():
            subprocess.run(command, cwd=empty, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                start = time.perf_counter()
                subprocess.run(command, cwd=empty, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
                times[name].append(time.perf_counter() - start)
        floor = times["floor"]
        print(f"{runs} rounds, {os.cpu_count()} cores; F = {statistics.median(floor) * 1000:.0f} ms")
        print(f"{'command':26} {'x F':>6} {'goal':>6}")
        for name, found in times.items():
            ratio = statistics.median(t / f for t, f in zip(found, floor, strict=True))
            goal = f"{GOALS[name]:.0f}" if name in GOALS else ""
            print(f"{name:26} {ratio:6.2f} {goal:>6}")
        start = time.perf_counter()
        subprocess.run([*commands["build, nothing changed"], "--force"], stderr=subprocess.DEVNULL, check=True)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"build from scratch, validation included: {seconds:.1f} s, {peak:.0f} MB at most (goal 30 s, 500 MB)")


if __name__ == "__main__":
    measure(Path(sys.argv[1] if len(sys.argv) > 1 else sys.prefix + "/bin"), int(sys.argv[2]) if len(sys.argv) > 2 else 9)
