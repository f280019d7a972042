"""A signed graph as SVG: what is low or high, and which step makes it so; drawn in layers from cause to finding."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

WIDTH, LINE, PADDING, GAP, LAYER, BEND = 164, 14, 7, 12, 44, 16
COLUMNS, MOST = 22, 4  # characters of a line in a box; boxes beside each other


@dataclass(frozen=True)
class Box:
    """A variable in a state (-1 low, 0 none, 1 high), with the findings that its state is; `href` is where it leads."""

    key: str
    label: str
    state: int
    href: str = ""
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[list[str], list[str]]:
        mark = {-1: "↓ ", 1: "↑ ", 0: ""}[self.state]
        return textwrap.wrap(mark + self.label, COLUMNS), [line for note in self.notes for line in textwrap.wrap(note, COLUMNS)]

    @property
    def height(self) -> int:
        return sum(map(len, self.lines)) * LINE + 2 * PADDING


@dataclass(frozen=True)
class Arrow:
    """A step from box to box; sign 1 raises, -1 lowers, 0 only leads there. A disputed one is dashed."""

    origin: str
    target: str
    sign: int
    title: str
    disputed: bool = False


def layers(keys: Iterable[str], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Give each node the layer below all that lead to it; an edge that would close a circle is passed over.

    >>> layers("abcd", [("a", "b"), ("b", "c"), ("a", "c"), ("c", "a"), ("a", "d")])
    {'a': 0, 'b': 1, 'c': 2, 'd': 1}
    """
    after: dict[str, set[str]] = defaultdict(set)

    def reaches(start: str, goal: str) -> bool:
        todo, seen = [start], {start}
        while todo:
            at = todo.pop()
            if at == goal:
                return True
            todo.extend(after[at] - seen)
            seen |= after[at]
        return False

    for one, other in edges:
        if one != other and not reaches(other, one):
            after[one].add(other)
    found = dict.fromkeys(keys, 0)
    for _ in found:  # the longest way has at most as many steps as there are nodes
        for one, others in after.items():
            for other in others:
                found[other] = max(found[other], found[one] + 1)
    return found


def draw(boxes: Sequence[Box], arrows: Sequence[Arrow], title: str, description: str) -> str:
    """Draw boxes and arrows from top to bottom; the same input gives the same bytes."""
    by_key = {b.key: b for b in boxes}
    level = layers(by_key, ((a.origin, a.target) for a in arrows))
    _spread(level, arrows)
    rows: list[list[str]] = [[] for _ in range(max(level.values(), default=0) + 1)]
    for key in by_key:
        rows[level[key]].append(key)
    ways: list[list[str]] = []
    for number, arrow in enumerate(arrows):
        way = [arrow.origin]
        for between in range(level[arrow.origin] + 1, level[arrow.target]):  # an arrow over several layers bends round their boxes
            way.append(f"~{number}.{between}")
            rows[between].append(way[-1])
        ways.append([*way, arrow.target])
    links = [(one, other) for way in ways for one, other in pairwise(way)]
    _untangle(rows, links)
    across, width = _columns(rows, links)
    top = 4
    down: dict[str, tuple[int, int]] = {}
    for row in rows:
        tallest = max((by_key[k].height for k in row if k in by_key), default=0)
        for key in row:
            down[key] = (top, top + (by_key[key].height if key in by_key else tallest))
        top += tallest + LAYER
    height = top - LAYER + 8
    out = [
        f'<svg class="mechanism" role="group" viewBox="0 0 {width:g} {height}" width="{width:g}" height="{height}" aria-labelledby="m-t m-d">'
        f'<title id="m-t">{escape(title)}</title><desc id="m-d">{escape(description)}</desc>'
    ]
    out.extend(_arrow(arrow, way, across, down) for arrow, way in zip(arrows, ways, strict=True))
    out.extend(_box(box, across[box.key], down[box.key][0]) for box in boxes)
    return "".join(out) + "</svg>"


def _spread(level: dict[str, int], arrows: Sequence[Arrow]) -> None:
    """Move boxes that lead nowhere further down where a layer would be too wide for a page."""
    inner = {a.origin for a in arrows}
    for row in range(len(level)):
        here = [k for k in level if level[k] == row]
        ends = [k for k in here if k not in inner]
        for key in ends[: max(0, len(here) - MOST)]:
            level[key] = row + 1


def _untangle(rows: list[list[str]], links: list[tuple[str, str]]) -> None:
    """Order each row by the middle of its neighbours, down and up again, so that few arrows cross."""
    near: dict[str, list[str]] = defaultdict(list)
    for one, other in links:
        near[one].append(other)
        near[other].append(one)
    level = {key: r for r, row in enumerate(rows) for key in row}
    for sweep in range(8):
        up = sweep % 2 == 0
        place = {key: (k + 0.5) / len(row) for row in rows for k, key in enumerate(row)}
        for r in range(len(rows)) if up else range(len(rows) - 1, -1, -1):
            middles = {}
            for key in rows[r]:
                side = [place[n] for n in near[key] if level[n] != r and (level[n] < r) == up]
                middles[key] = sum(side) / len(side) if side else place[key]
            rows[r].sort(key=lambda key, middles=middles: (middles[key], key))  # type: ignore[misc]
            place.update({key: (k + 0.5) / len(rows[r]) for k, key in enumerate(rows[r])})


def _columns(rows: list[list[str]], links: list[tuple[str, str]]) -> tuple[dict[str, float], float]:
    """The middle of each node from left to right: near its neighbours, at its place in the row."""
    wide = {key: BEND if key.startswith("~") else WIDTH for row in rows for key in row}
    near: dict[str, list[str]] = defaultdict(list)
    for one, other in links:
        near[one].append(other)
        near[other].append(one)
    across: dict[str, float] = {}
    for row in rows:
        x = -(sum(wide[k] + GAP for k in row) - GAP) / 2
        for key in row:
            across[key] = x + wide[key] / 2
            x += wide[key] + GAP
    for _ in range(12):
        for row in rows:
            wanted = [sum(across[n] for n in near[k]) / len(near[k]) if near[k] else across[k] for k in row]
            for k, key in enumerate(row):
                least = across[row[k - 1]] + (wide[row[k - 1]] + wide[key]) / 2 + GAP if k else float("-inf")
                across[key] = max(wanted[k], least)
            shift = sum(w - across[k] for w, k in zip(wanted, row, strict=True)) / len(row)
            for key in row:
                across[key] += shift
    left = min((across[k] - wide[k] / 2 for k in across), default=0.0)
    right = max((across[k] + wide[k] / 2 for k in across), default=0.0)
    return {k: round(x - left + 6, 1) for k, x in across.items()}, round(right - left + 12)


def _arrow(arrow: Arrow, way: list[str], across: Mapping[str, float], down: Mapping[str, tuple[int, int]]) -> str:
    x, y = across[way[0]], down[way[0]][1]
    path = [f"M{x:g} {y}"]
    for key in way[1:]:
        to_x, (to_y, through) = across[key], down[key]
        last = key == way[-1]
        if last:
            to_y -= 7 if arrow.sign >= 0 else 3
        middle = (y + to_y) / 2
        path.append(f"C{x:g} {middle:g} {to_x:g} {middle:g} {to_x:g} {to_y}")
        x, y = to_x, to_y
        if not last and through > to_y:
            path.append(f"V{through}")
            y = through
    # An arrowhead raises, a bar lowers: the sign is to be seen without colour.
    head = f"M{x - 4:g} {y}L{x:g} {y + 7}L{x + 4:g} {y}z" if arrow.sign >= 0 else f"M{x - 7:g} {y}H{x + 7:g}"
    kind = {1: "up", -1: "down", 0: "to"}[arrow.sign] + (" disputed" if arrow.disputed else "")
    return f'<g class="{kind}"><title>{escape(arrow.title)}</title><path d="{"".join(path)}"/><path class="h" d="{head}"/></g>'


def _box(box: Box, middle: float, top: int) -> str:
    lines, notes = box.lines
    y = top + PADDING - 3
    spans = []
    for text, kind in [*((line, "") for line in lines), *((line, ' class="n"') for line in notes)]:
        y += LINE
        spans.append(f'<tspan x="{middle:g}" y="{y}"{kind}>{escape(text)}</tspan>')
    kind = {-1: "low", 0: "plain", 1: "high"}[box.state]
    link, end = (f'<a href="{escape(box.href)}">', "</a>") if box.href else ("", "")
    return (
        f'<g class="{kind}">{link}<rect x="{middle - WIDTH / 2:g}" y="{top}" width="{WIDTH}" height="{box.height}" rx="5"/>'
        f"<text>{''.join(spans)}</text>{end}</g>"
    )
