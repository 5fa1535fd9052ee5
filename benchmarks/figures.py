"""The arithmetic of figures: medians of rounds, ratios, percentiles, and the rows of the report.

Pure. Knows nothing of processes or SIP.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """The ratio that must be reached, and the one that is aimed at."""

    must: float
    aim: float


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one case, ours beside a peer's, round by round.

    `case`, `figure` and `peer` say what it is; `ours` and `theirs` hold a value for each round, in the order they were
    measured.
    """

    case: str
    figure: str
    peer: str
    ours: Sequence[float]
    theirs: Sequence[float]
    target: Target | None = None

    @property
    def ratio(self) -> float:
        """The median of ours to the median of theirs; nan when theirs is 0."""
        theirs = median(self.theirs)
        return median(self.ours) / theirs if theirs else math.nan

    def to_json(self) -> dict[str, Any]:
        """The row of results.json; values rounded to what they are worth."""
        pairs = [{"ours": _rounded(a), "theirs": _rounded(b)} for a, b in zip(self.ours, self.theirs, strict=True)]
        ratio = None if math.isnan(self.ratio) else round(self.ratio, 4)
        row: dict[str, Any] = {"case": self.case, "figure": self.figure, "peer": self.peer}
        row |= {"ours": _rounded(median(self.ours)), "theirs": _rounded(median(self.theirs)), "ratio": ratio}
        row |= {"ours_min": _rounded(min(self.ours)), "ours_max": _rounded(max(self.ours))}
        row |= {"theirs_min": _rounded(min(self.theirs)), "theirs_max": _rounded(max(self.theirs))}
        if self.target:
            row |= asdict(self.target)
        return row | {"rounds": pairs}


def per_unit_us(seconds: float, units: int) -> float:
    """Microseconds of processor time of one unit. Raises ValueError when there was none."""
    if units <= 0:
        raise ValueError("nothing was completed")
    return seconds * 1e6 / units


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed. Raises ValueError for none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _rounded(value: float) -> float:
    return round(value, 3) if abs(value) < 100 else round(value, 1)
