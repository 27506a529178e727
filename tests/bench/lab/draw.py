# SPDX-License-Identifier: MIT
"""Pictures, SVG and PNG, one look for all."""

import textwrap

COLOURS = {"quic": "#1b7f5c", "tls": "#c26a1b", "tcp": "#5b6f9e"}
OTHERS = ["#1b7f5c", "#c26a1b", "#5b6f9e", "#8c4a8f", "#7a7a7a", "#b0a030"]
NAMES = {
    "quic": "mquic (QUIC)",
    "quic-reno": "mquic, Reno",
    "quic-bbr": "mquic, BBR",
    "tls": "Mosquitto TLS 1.3",
    "tcp": "Mosquitto TCP",
}


def _pyplot():
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("Agg")
    # The same picture from the same figures, byte for byte.
    matplotlib.rcParams.update(
        {
            "svg.hashsalt": "mquic",
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )
    from matplotlib import pyplot

    return pyplot


def _save(pyplot, figure, path, legend=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    if legend:
        # One for all panels, on a line of its own below the title.
        high = figure.get_size_inches()[1]
        figure.legend(*legend, frameon=False, fontsize=8, ncol=len(legend[1]), loc="upper left",
                      bbox_to_anchor=(0.01, 1 - 0.22 / high))
        figure.tight_layout(rect=(0, 0, 1, 1 - 0.2 / high))
    else:
        figure.tight_layout()
    # "tight": nothing that is written is cut off, however long.
    figure.savefig(f"{path}.svg", metadata={"Date": None}, bbox_inches="tight")
    figure.savefig(f"{path}.png", dpi=110, bbox_inches="tight")
    pyplot.close(figure)


def _folded(title, wide):
    """The title in lines that fit a figure of so many inches."""
    return "\n".join(textwrap.wrap(title, int(wide * 12)))


def _colour(name, index):
    return COLOURS.get(name, OTHERS[index % len(OTHERS)])


def ticks(low, high, most=5):
    """Round places on a logarithmic axis: some, wherever it begins, and not too many."""
    quarters = tuple(n / 4 for n in range(4, 40))
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), quarters):
        found = [
            step * 10.0**power
            for power in range(-6, 13)
            for step in steps
            if low <= step * 10.0**power <= high
        ]
        if len(found) >= 3:
            break
    return found[:: -(-len(found) // most)] if found else [low, high]


def _log_axis(axes, axis):
    """Logarithmic, with a few plain numbers."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set(**{f"{axis.axis_name}scale": "log"})
    low, high = axis.get_view_interval()
    axis.set_major_locator(FixedLocator(ticks(low, high)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))


def bars(path, title, groups, series, unit, log=False, errors=None):
    """Grouped bars: `series` is {name: [a value per group]}; None leaves a gap."""
    pyplot = _pyplot()
    if pyplot is None or not groups:
        return
    from matplotlib.ticker import StrMethodFormatter

    wide = min(11, max(6, 0.4 * len(groups) * len(series) + 2))
    figure, axes = pyplot.subplots(figsize=(wide, 3.6))
    width = 0.8 / len(series)
    for i, (name, values) in enumerate(series.items()):
        places = [g + (i - (len(series) - 1) / 2) * width for g in range(len(groups))]
        heights = [value or 0 for value in values]
        spread = errors[name] if errors and name in errors else None
        axes.bar(places, heights, width * 0.92, label=NAMES.get(name, name),
                 color=_colour(name, i), yerr=spread, ecolor="#444444", capsize=2)
    axes.set_xticks(range(len(groups)), groups, rotation=20 if len(groups) > 6 else 0)
    axes.set_ylabel(unit)
    # The title stands above the legend, both above the bars: nothing covers a bar.
    axes.set_title(_folded(title, wide), fontsize=10, pad=22, loc="left")
    if log:
        axes.set_ylim(bottom=min((v for values in series.values() for v in values if v),
                                 default=1) / 2)
        _log_axis(axes, axes.yaxis)
    else:
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.legend(frameon=False, fontsize=8, ncol=len(series), loc="lower left",
                bbox_to_anchor=(0, 1), borderaxespad=0.2)
    _save(pyplot, figure, path)


def distributions(path, title, panels, unit):
    """Cumulative shares, one panel each: {panel: {name: values}}."""
    pyplot = _pyplot()
    if pyplot is None or not panels:
        return
    columns = min(5, len(panels))
    lines = (len(panels) + columns - 1) // columns
    figure, grid = pyplot.subplots(
        lines, columns, figsize=(max(6, 2.6 * columns), 2.5 * lines + 0.7), squeeze=False
    )
    for axes in grid.flat[len(panels):]:
        axes.axis("off")
    for axes, (panel, series) in zip(grid.flat, panels.items()):
        for i, (name, values) in enumerate(series.items()):
            ordered = sorted(values)
            shares = [(k + 1) / len(ordered) for k in range(len(ordered))]
            axes.step(ordered, shares, where="post", label=NAMES.get(name, name),
                      color=_colour(name, i))
        axes.set_title(panel, fontsize=9)
        axes.set_ylim(0, 1.02)
        _log_axis(axes, axes.xaxis)
        axes.tick_params(labelsize=8)
        axes.set_xlabel(unit)
    for line in grid:
        line[0].set_ylabel("share")
    figure.suptitle(_folded(title, figure.get_size_inches()[0]), fontsize=10, x=0.02, ha="left")
    _save(pyplot, figure, path, grid.flat[0].get_legend_handles_labels())


def stacked(path, title, groups, parts, unit):
    """Stacked horizontal bars: `parts` is {name: [a value per group]}."""
    pyplot = _pyplot()
    if pyplot is None or not groups:
        return
    figure, axes = pyplot.subplots(figsize=(8, 0.5 * len(groups) + 1.6))
    left = [0] * len(groups)
    for i, (name, values) in enumerate(parts.items()):
        axes.barh(range(len(groups)), values, left=left, label=name,
                  color=pyplot.get_cmap("tab20")(i % 20))
        left = [a + b for a, b in zip(left, values)]
    axes.set_yticks(range(len(groups)), groups)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.set_title(_folded(title, 8), fontsize=10, loc="left")
    axes.legend(frameon=False, fontsize=7, ncol=2, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(pyplot, figure, path)
