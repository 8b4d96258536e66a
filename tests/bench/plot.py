"""Charts of growth as one SVG, without any library: panels side by side, both scales logarithmic."""
import math
from xml.sax.saxutils import escape

PANEL_WIDTH, PANEL_HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 46, 48
LEGEND_LINE = 17
COLOURS = ('#0b5cad', '#c2410c', '#15803d', '#7e22ce')
INK, QUIET, GRID = '#1f2937', '#6b7280', '#e5e7eb'


class Series:
    """Points of one line. `dashed` ones are for comparison."""

    def __init__(self, name, points, dashed=False):
        self.name, self.points, self.dashed = name, points, dashed


class Panel:
    def __init__(self, title, x_label, y_label, series):
        self.title, self.x_label, self.y_label, self.series = title, x_label, y_label, series


def number(value):
    for size, sign in ((1e6, 'M'), (1e3, 'k')):
        if value >= size:
            return '%g%s' % (round(value / size, 2), sign)
    return '%g' % round(value, 3)


class Scale:
    """From values to places; the ends are at 1, 2 or 5 times a power of ten."""

    def __init__(self, values, start, end):
        self.ticks = self.steps(min(values), max(values))
        self.low, self.high = math.log10(self.ticks[0]), math.log10(self.ticks[-1])
        self.start, self.end = start, end

    @staticmethod
    def steps(least, most):
        power = math.floor(math.log10(least))
        all_steps = [factor * 10.0 ** (power + i) for i in range(12) for factor in (1, 2, 5)]
        first = max([i for i, step in enumerate(all_steps) if step <= least * 1.001], default=0)
        last = min(i for i, step in enumerate(all_steps) if step >= most * 0.999)
        last = max(last, first + 2)
        return all_steps[first:last + 1]

    def shown(self):
        """Every tick, or the powers of ten alone when there are too many."""
        if len(self.ticks) <= 7:
            return self.ticks
        return [tick for tick in self.ticks if math.isclose(math.log10(tick) % 1, 0, abs_tol=1e-9)]

    def place(self, value):
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)


def text(x, y, content, size=12, colour=INK, anchor='start', extra=''):
    return '<text x="%.1f" y="%.1f" font-size="%d" fill="%s" text-anchor="%s"%s>%s</text>' % (
        x, y, size, colour, anchor, extra, escape(content))


def line(x1, y1, x2, y2, colour, width=1.0, extra=''):
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%g"%s/>' % (x1, y1, x2, y2, colour, width, extra)


def axes(panel, across, up):
    out = [text(LEFT, 20, panel.title, 14, INK, 'start', ' font-weight="600"')]
    for tick in up.shown():
        y = up.place(tick)
        out += [line(LEFT, y, PANEL_WIDTH - RIGHT, y, GRID), text(LEFT - 7, y + 4, number(tick), 11, QUIET, 'end')]
    bottom = PANEL_HEIGHT - BOTTOM
    for tick in across.shown():
        x = across.place(tick)
        out += [line(x, bottom, x, bottom + 4, QUIET), text(x, bottom + 17, number(tick), 11, QUIET, 'middle')]
    out += [line(LEFT, bottom, PANEL_WIDTH - RIGHT, bottom, QUIET),
            text((LEFT + PANEL_WIDTH - RIGHT) / 2, bottom + 35, panel.x_label, 12, QUIET, 'middle'),
            text(LEFT, 37, panel.y_label, 11, QUIET)]
    return out


def stroke(series, index):
    """Width and dashes. The first line is wide, so that one that covers it leaves it to be seen."""
    return 2 if series.dashed or index else 5, ' stroke-dasharray="5 4"' if series.dashed else ''


def curve(series, index, colour, across, up):
    width, dashes = stroke(series, index)
    places = [(across.place(x), up.place(y)) for x, y in series.points]
    out = ['<polyline fill="none" stroke="%s" stroke-width="%g"%s points="%s"/>' % (
        colour, width, dashes, ' '.join('%.1f,%.1f' % place for place in places))]
    if not series.dashed:
        out += ['<circle cx="%.1f" cy="%.1f" r="3.2" fill="%s"/>' % (x, y, colour) for x, y in places]
    return out


def colour_of(panel, index):
    solid = [series for series in panel.series if not series.dashed]
    return QUIET if panel.series[index].dashed else COLOURS[solid.index(panel.series[index]) % len(COLOURS)]


def legend(panel):
    out = []
    for index, series in enumerate(panel.series):
        y = PANEL_HEIGHT + 8 + LEGEND_LINE * index
        width, dashes = stroke(series, index)
        out += [line(LEFT, y - 4, LEFT + 22, y - 4, colour_of(panel, index), width, dashes), text(LEFT + 28, y, series.name, 11)]
    return out


def draw_panel(panel):
    across = Scale([x for series in panel.series for x, _ in series.points], LEFT + 8, PANEL_WIDTH - RIGHT - 8)
    up = Scale([y for series in panel.series for _, y in series.points], PANEL_HEIGHT - BOTTOM, TOP)
    out = axes(panel, across, up)
    for index, series in enumerate(panel.series):
        out += curve(series, index, colour_of(panel, index), across, up)
    return out + legend(panel)


def write(path, title, note, rows):
    """`rows`: lists of panels, one below the other."""
    heights = [PANEL_HEIGHT + LEGEND_LINE * max(len(panel.series) for panel in row) + 24 for row in rows]
    width, height = PANEL_WIDTH * max(len(row) for row in rows) + 20, 64 + sum(heights)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" '
           'font-family="system-ui, sans-serif" role="img">' % (width, height, width, height),
           '<title>%s</title>' % escape(title), '<rect width="100%" height="100%" fill="#ffffff"/>',
           text(20, 28, title, 18, INK, 'start', ' font-weight="600"'), text(20, 48, note, 12, QUIET)]
    top = 60
    for row, row_height in zip(rows, heights):
        for index, panel in enumerate(row):
            out += ['<g transform="translate(%d %d)">' % (10 + index * PANEL_WIDTH, top)] + draw_panel(panel) + ['</g>']
        top += row_height
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(out + ['</svg>']) + '\n')
