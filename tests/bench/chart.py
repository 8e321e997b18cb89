"""The picture of the table of `make bench`: ratios on a logarithmic scale, from the line at 1 to the median of each build,
with a mark at the target. Plain shapes and text, in light and in dark."""

import html
import math
import statistics

NAMES, PLOT, VALUES, MARGIN = 360, 400, 130, 16  # columns, in pixels
WIDTH = NAMES + PLOT + VALUES + 4 * MARGIN
TOP, ROW, BAR = 92, 32, 7
STYLE = (".box{fill:#f6f8fa}.text{fill:#1f2328}.dim{fill:#59636e}.musl{fill:#0969da}.gnu{fill:#bf8700}.grid{stroke:#d1d9e0}"
         ".one{stroke:#1f2328}.target{fill:#cf222e}"
         "@media (prefers-color-scheme:dark){.box{fill:#161b22}.text{fill:#e6edf3}.dim{fill:#9198a1}.musl{fill:#4493f8}"
         ".gnu{fill:#d29922}.grid{stroke:#3d444d}.one{stroke:#e6edf3}.target{fill:#ff7b72}}")


def text(x, y, kind, words, *more):
    attributes = "".join(f" {name}" for name in more)
    return f'<text class="{kind}" x="{x}" y="{y}"{attributes}>{html.escape(words.replace("`", ""))}</text>'


def number(value):
    """A ratio with two digits."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def drawing(lines):
    """The picture of those lines that are ratios, without wall times."""
    shown = [line for line in lines if line.unit == "×" and not line.work.endswith("wall time")]
    medians = [{build: statistics.median(values) for build, values in line.values.items() if values} for line in shown]
    all_values = [value for each in medians for value in each.values()] + [line.target for line in shown if line.target]
    low = min(-1, math.floor(math.log10(min(all_values))))
    high = max(1, math.ceil(math.log10(max(all_values))))
    left, height = NAMES + 2 * MARGIN, TOP + ROW * len(shown) + 2 * MARGIN

    def at(value):
        return round(left + PLOT * (math.log10(value) - low) / (high - low), 1)

    bottom = height - 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>codex-run beside other programs that do the same: ratios of processor time and memory</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="box" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        '<g font-family="system-ui, sans-serif" font-size="13">',
        text(MARGIN, 28, "text", "codex-run, as a ratio to what else does the same: left of 1 is less", 'font-weight="bold"'),
    ]
    x = MARGIN
    for kind, words in (("musl", "static build (musl)"), ("gnu", "dynamic build (gnu)"), ("target", "target")):
        size = (3, 14) if kind == "target" else (14, BAR)
        parts.append(f'<rect class="{kind}" x="{x}" y="{49 - size[1] / 2}" width="{size[0]}" height="{size[1]}"/>')
        parts.append(text(x + 20, 53, "dim", words))
        x += 40 + 7 * len(words)
    for power in range(low, high + 1):
        x = at(10.0**power)
        kind = "one" if power == 0 else "grid"
        parts.append(f'<path class="{kind}" d="M{x} {TOP - 8}V{bottom}" fill="none"/>')
        parts.append(text(x, TOP - 14, "text" if power == 0 else "dim", f"{10.0**power:g}", 'text-anchor="middle"'))
    for place, (line, values) in enumerate(zip(shown, medians)):
        y = TOP + ROW * place
        parts.append(text(left - MARGIN, y + 12, "text", line.work, 'text-anchor="end"', 'font-size="12"'))
        parts.append(text(left - MARGIN, y + 25, "dim", f"against {line.against}", 'text-anchor="end"', 'font-size="11"'))
        for number_of_bar, (build, value) in enumerate(values.items()):
            start, end = sorted((at(1), at(value)))
            top = y + 6 + (BAR + 2) * number_of_bar
            parts.append(f'<rect class="{build}" x="{start}" y="{top}" width="{max(1, round(end - start, 1))}" height="{BAR}"/>')
        if line.target:
            parts.append(f'<rect class="target" x="{at(line.target) - 1}" y="{y + 3}" width="3" height="{2 * BAR + 8}"/>')
        words = " / ".join(map(number, values.values())) + (f" (≤ {line.target:g})" if line.target else "")
        parts.append(text(left + PLOT + MARGIN, y + 19, "text", words, 'font-size="12"'))
    return "\n".join([*parts, "</g>", "</svg>\n"])
