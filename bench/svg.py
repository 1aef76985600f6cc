"""Bar and line charts as SVG text.

Each chart brings its own background, and its colours for light and for dark surroundings, so that
it can be read wherever it is embedded. No fonts, scripts or references to anything outside the
file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from bench.tables import three_digits, whole

STYLE = """
  svg { color-scheme: light dark }
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .ground { fill: #ffffff; stroke: #d0d7de }
  .title { font-weight: 600; font-size: 15px }
  .panel { font-weight: 600 }
  .minor { fill: #59636e; font-size: 12px }
  .ours { fill: #c2410c } .peer { fill: #8c959f }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .line { fill: none; stroke-width: 2 }
  .s0 { stroke: #c2410c; stroke-width: 3 } .s1 { stroke: #0969da } .s2 { stroke: #1a7f37 }
  .s3 { stroke: #8250df } .s4 { stroke: #9a6700 } .s5 { stroke: #59636e }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ground { fill: #0d1117; stroke: #30363d }
    .minor { fill: #9198a1 }
    .ours { fill: #fb923c } .peer { fill: #6e7681 }
    .grid { stroke: #30363d }
    .s0 { stroke: #fb923c } .s1 { stroke: #58a6ff } .s2 { stroke: #3fb950 }
    .s3 { stroke: #bc8cff } .s4 { stroke: #d29922 } .s5 { stroke: #9198a1 }
  }
"""
WIDTH = 880
MARGIN = 20
LABEL_WIDTH = 145
VALUE_WIDTH = 70
BAR_STEP = 22
PALETTE_SIZE = 6


@dataclass(frozen=True)
class Chart:
    """A finished chart: the file's stem, the text for those who cannot see it, and the SVG."""

    name: str
    description: str
    svg: str


@dataclass(frozen=True)
class Bar:
    """One bar; ``value`` None means that there is no measurement. ``ours`` stands out."""

    label: str
    value: float | None
    ours: bool = False


@dataclass(frozen=True)
class Panel:
    """Bars on a scale of their own."""

    title: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Line:
    """Points of one line, by ascending x. ``slot`` chooses its colour: 0 is Andon's."""

    label: str
    points: Sequence[tuple[float, float]]
    slot: int


def bars(name: str, title: str, panels: Sequence[Panel], columns: int = 2) -> Chart:
    """Panels of horizontal bars, ``columns`` beside each other. The titles have to say the unit."""
    gap = 24
    width = (WIDTH - 2 * MARGIN - (columns - 1) * gap) / columns
    parts = [_text(MARGIN, 32, title, "title")]
    top = 56.0
    for start in range(0, len(panels), columns):
        row = panels[start : start + columns]
        for index, panel in enumerate(row):
            parts += _panel(panel, MARGIN + index * (width + gap), top, width)
        top += 26 + BAR_STEP * max(len(panel.bars) for panel in row) + 18
    return Chart(name, title, _document(top, parts))


def _panel(panel: Panel, left: float, top: float, width: float) -> list[str]:
    parts = [_text(left, top + 12, panel.title, "panel")]
    full = max((bar.value for bar in panel.bars if bar.value is not None), default=0.0)
    room = width - LABEL_WIDTH - VALUE_WIDTH
    for index, bar in enumerate(panel.bars):
        y = top + 26 + index * BAR_STEP
        parts.append(_text(left + LABEL_WIDTH - 8, y + 13, bar.label, "", "end"))
        length = room * (bar.value or 0.0) / full if full else 0.0
        kind = "ours" if bar.ours else "peer"
        parts.append(
            f'<rect x="{left + LABEL_WIDTH:.1f}" y="{y:.1f}" width="{max(length, 1):.1f}" '
            f'height="16" rx="2" class="{kind}"/>'
        )
        value = "failed" if bar.value is None else _short(bar.value)
        parts.append(_text(left + LABEL_WIDTH + length + 6, y + 13, value, "minor"))
    return parts


def lines(name: str, title: str, x_label: str, y_label: str, drawn: Sequence[Line]) -> Chart:
    """Lines over a linear x axis and a logarithmic y axis."""
    left, right, top, bottom = 70.0, WIDTH - 200.0, 76.0, 376.0
    points = [point for line in drawn for point in line.points if point[1] > 0]
    largest_x = max((x for x, _ in points), default=1.0) or 1.0
    lowest = math.floor(math.log10(min((y for _, y in points), default=1.0)))
    highest = max(math.ceil(math.log10(max((y for _, y in points), default=10.0))), lowest + 1)

    def place(x: float, y: float) -> tuple[float, float]:
        share = (math.log10(y) - lowest) / (highest - lowest)
        return left + (right - left) * x / largest_x, bottom - (bottom - top) * share

    parts = [_text(MARGIN, 32, title, "title")]
    for exponent in range(lowest, highest + 1):
        y = place(0, 10.0**exponent)[1]
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" class="grid"/>')
        parts.append(_text(left - 8, y + 4, f"{10.0**exponent:,g}", "minor", "end"))
    step = _step(largest_x)
    for number in range(int(largest_x / step) + 1):
        x = place(number * step, 10.0**lowest)[0]
        parts.append(_text(x, bottom + 18, f"{number * step:g}", "minor", "middle"))
    parts.append(_text((left + right) / 2, bottom + 38, x_label, "minor", "middle"))
    parts.append(_text(left, top - 8, y_label, "minor"))
    # Drawn last is on top, and the first line is Andon's.
    for index, line in reversed(list(enumerate(drawn))):
        path = " ".join(
            f"{x:.1f},{y:.1f}" for x, y in (place(x, y) for x, y in line.points if y > 0)
        )
        color = f"line s{line.slot % PALETTE_SIZE}"
        parts.append(f'<polyline points="{path}" class="{color}"/>')
        y = top + 8 + index * 22
        parts.append(f'<polyline points="{right + 14},{y} {right + 34},{y}" class="{color}"/>')
        parts.append(_text(right + 40, y + 4, line.label, ""))
    return Chart(name, title, _document(bottom + 56, parts))


def _step(largest: float) -> float:
    """The distance between marks of an axis from 0 to ``largest``, for at most ten of them."""
    return next((step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10) if largest / step <= 10), largest)


def _short(value: float) -> str:
    return whole(value) if value >= 100 else three_digits(value)


def _text(x: float, y: float, content: str, kind: str, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} class="{kind}">{escape(content)}</text>'


def _document(height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" role="img">\n<style>{STYLE}</style>\n'
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8" '
        'class="ground"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )
