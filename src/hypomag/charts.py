"""Frequencies as small SVG bars: n of m with its interval, other cohorts beside it, a stated band as an outline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import sqrt

Z95 = 1.959963984540054  # the 97.5 % point of the standard normal distribution


@dataclass(frozen=True)
class Frequency:
    """How often a finding was seen: n of m in the largest cohort, the other cohorts, else a stated percentage or band.

    `bands` are the ends in percent of each stated band, with its words and its source; where a source states one percentage,
    both ends are that. `pooled` is over how many publications HPO added the counts up. `href` leads to the claim.
    """

    label: str
    href: str
    n: int | None = None
    m: int | None = None
    others: tuple[tuple[int, int], ...] = ()
    bands: tuple[tuple[float, float, str, str], ...] = ()
    source: str = ""
    disputed: bool = False
    pooled: int = 0

    @property
    def counted(self) -> str:
        """How often, in few words; where sources state different bands, the lowest and the highest."""
        words = list(dict.fromkeys(w for _, _, w, _ in sorted(self.bands)))
        told = f"{self.n} of {self.m}" if self.m else words[0] if len(words) == 1 else f"{words[0]} to {words[-1]}, sources differ"
        return told + (", pooled" if self.pooled else "") + (", disputed" if self.disputed else "")

    @property
    def told(self) -> str:
        """The bar in words, for whom it is not to be seen."""
        if self.m and self.n is not None:
            low, high = wilson(self.n, self.m)
            more = f"; other cohorts: {', '.join(f'{n} of {m}' for n, m in self.others)}" if self.others else ""
            source = f" ({self.source})" if self.source else ""
            interval = "" if self.pooled else f", 95 % interval {_percent(low)} to {_percent(high)}"
            return f"{self.label}: {self.n} of {self.m}{source}, {_percent(self.n / self.m)}{interval}{more}"
        return f"{self.label}: " + "; ".join(f"{words} ({source})" if source else words for _, _, words, source in sorted(self.bands))


def wilson(n: int, m: int, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson score interval of n of m, as shares.

    Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212; it stays within 0 and 1 and holds for small m.

    >>> [round(x, 3) for x in wilson(27, 28)], [round(x, 3) for x in wilson(0, 15)]
    ([0.823, 0.994], [0.0, 0.204])
    >>> wilson(5, 5)[1]
    1.0
    """
    share = n / m
    middle = (share + z * z / (2 * m)) / (1 + z * z / m)
    half = z / (1 + z * z / m) * sqrt(share * (1 - share) / m + z * z / (4 * m * m))
    return (0.0 if n == 0 else max(0.0, middle - half), 1.0 if n == m else min(1.0, middle + half))


def ordered(frequencies: Sequence[Frequency]) -> list[Frequency]:
    """Counted findings first, then stated ones, each the most frequent first."""
    return sorted(
        frequencies, key=lambda f: (not f.m, -((f.n or 0) / f.m if f.m else max(high for _, high, _, _ in f.bands)), -(f.m or 0), f.label)
    )


def bars(frequencies: Sequence[Frequency], *, scale: bool = True) -> str:
    """Draw a list of findings, each with its bar; the bar scales with the page, the words do not. Heights are the style's.

    >>> print(bars([Frequency("Seizure", "#x", 27, 28, ((1, 1),))]))  # doctest: +ELLIPSIS
    <div class="scale" ...</div><ol class="bars"><li><a href="#x">Seizure</a><b>27 of 28</b><svg ...</svg></li></ol>
    """
    head = '<div class="scale" aria-hidden="true"><span>0 %</span><span>50 %</span><span>100 %</span></div>'
    return (head if scale else "") + '<ol class="bars">' + "".join(_row(f) for f in frequencies) + "</ol>"


def _row(f: Frequency) -> str:
    drawn = []
    if f.m and f.n is not None:
        low, high = wilson(f.n, f.m)
        if not f.pooled:
            drawn.append(f'<rect class="i" x="{_x(low)}%" width="{_x(high - low)}%"/>')
        drawn.extend(f'<rect class="o" x="{x}%"/>' for x in dict.fromkeys(_tick(n / m) for n, m in f.others))
        drawn.append(f'<rect class="p" x="{_tick(f.n / f.m, 1.4)}%"/>')
    else:
        for low, high in sorted({(low, high) for low, high, _, _ in f.bands}):
            width = max(high - low, 1.4)
            drawn.append(f'<rect class="s" x="{min(low, 100 - width):g}%" width="{width:g}%"/>')
    svg = f'<svg role="img"><title>{escape(f.told)}</title>{"".join(drawn)}</svg>'
    return f'<li><a href="{escape(f.href)}">{escape(f.label)}</a><b>{escape(f.counted)}</b>{svg}</li>'


def _x(share: float) -> str:
    return f"{share * 100:.1f}".removesuffix(".0")


def _tick(share: float, width: float = 0.6) -> str:
    return f"{min(max(share * 100 - width / 2, 0), 100 - width):.1f}".removesuffix(".0")


def _percent(share: float) -> str:
    return f"{round(share * 100)} %"
