# SPDX-License-Identifier: MIT
"""Pictures, SVG and PNG, one look for all."""

COLOURS = {"quic": "#1b7f5c", "tls": "#c26a1b", "tcp": "#5b6f9e"}
OTHERS = ["#1b7f5c", "#c26a1b", "#5b6f9e", "#8c4a8f", "#7a7a7a", "#b0a030"]
NAMES = {"quic": "mquic (QUIC)", "tls": "Mosquitto TLS 1.3", "tcp": "Mosquitto TCP"}


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


def _save(pyplot, figure, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(f"{path}.svg", metadata={"Date": None})
    figure.savefig(f"{path}.png", dpi=110)
    pyplot.close(figure)


def _colour(name, index):
    return COLOURS.get(name, OTHERS[index % len(OTHERS)])


def _log_axis(axes, axis):
    """Logarithmic, with plain numbers at 1, 2 and 5."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axis.set_minor_formatter(NullFormatter())


def bars(path, title, groups, series, unit, log=False, errors=None):
    """Grouped bars: `series` is {name: [a value per group]}; None leaves a gap."""
    pyplot = _pyplot()
    if pyplot is None or not groups:
        return
    figure, axes = pyplot.subplots(figsize=(max(5, 0.55 * len(groups) * len(series) + 2), 3.4))
    width = 0.8 / len(series)
    for i, (name, values) in enumerate(series.items()):
        places = [g + (i - (len(series) - 1) / 2) * width for g in range(len(groups))]
        heights = [value or 0 for value in values]
        spread = errors[name] if errors and name in errors else None
        axes.bar(places, heights, width * 0.92, label=NAMES.get(name, name),
                 color=_colour(name, i), yerr=spread, ecolor="#444444", capsize=2)
    axes.set_xticks(range(len(groups)), groups, rotation=20 if len(groups) > 6 else 0)
    axes.set_ylabel(unit)
    axes.set_title(title, fontsize=10)
    if log:
        _log_axis(axes, axes.yaxis)
    axes.legend(frameon=False, fontsize=8)
    _save(pyplot, figure, path)


def distributions(path, title, panels, unit):
    """Cumulative shares, one panel each: {panel: {name: values}}."""
    pyplot = _pyplot()
    if pyplot is None or not panels:
        return
    columns = min(5, len(panels))
    lines = (len(panels) + columns - 1) // columns
    figure, grid = pyplot.subplots(
        lines, columns, figsize=(3.0 * columns, 2.6 * lines), squeeze=False
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
        axes.set_xlabel(unit)
    grid.flat[0].legend(frameon=False, fontsize=7)
    figure.suptitle(title, fontsize=10)
    _save(pyplot, figure, path)


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
    axes.set_title(title, fontsize=10)
    axes.legend(frameon=False, fontsize=7, ncol=2, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(pyplot, figure, path)
