"""Draws what `docs/explanation/choosing.md` shows: `python benchmarks/plots.py`."""

from pathlib import Path

import matplotlib as mpl
from allocation import SHIPPED, held_out
from contest import FORESIGHT, PLANNER, SHARES, wanted_of
from market import World, read_world
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optimum import fewest_calls
from play import Play
from strategies import BASELINES, foresight, play

from headcount.core.forecast import Range, forecast

IMAGES = Path(__file__).parent.parent / "docs" / "images"
_WORLD = SHIPPED / "market-103.json"
_OTHERS = 40  # invented worlds, one dot each
_SHARE = 90  # percent of a world's creators that a forecast is about
_OURS, _TRUTH, _BAND = "#c2410c", "#111827", "#fdba74"
_SIZE = (7.2, 3.8)  # inches


def draw_ways(world: World) -> Figure:
    """The creators that each way has found after so many calls, and the optimum."""
    figure, axes = plt.subplots(figsize=_SIZE, layout="constrained")
    pages = list(world.keywords.values())
    for name, way in (BASELINES | {FORESIGHT: foresight}).items():
        style = ":" if name == FORESIGHT else "-"
        history = play(way, pages, world.creators).history
        axes.plot(range(1, len(history) + 1), history, style, label=name, lw=1)
    ours = [job.qualified for job in Play(world, world.creators).steps()]
    axes.plot(range(1, len(ours) + 1), ours, label=PLANNER, color=_OURS, lw=2)
    wanted = [wanted_of(world, share) for share in SHARES]
    fewest = [fewest_calls(world, number).calls for number in wanted]
    axes.plot(fewest, wanted, "o", label="the fewest possible", color=_TRUTH, ms=4)
    _label(axes, f"One call at a time in {world.name}", "calls", "creators found")
    return figure


def draw_forecasts(world: World) -> Figure:
    """What is foretold on the way, and half-way in other worlds, beside the truth."""
    figure, (left, right) = plt.subplots(1, 2, figsize=_SIZE, layout="constrained")
    told, calls = _told(world)
    made = [at for at, _ in told]
    low, high = [at + r.low for at, r in told], [at + r.high for at, r in told]
    expected = [at + r.expected for at, r in told]
    left.fill_between(made, low, high, color=_BAND, label="nine in ten", lw=0)
    left.plot(made, expected, color=_OURS, label="expected")
    left.axhline(calls, color=_TRUTH, lw=1, label="needed in the end")
    left.set_ylim(bottom=0)
    title = f"{_SHARE} % of {world.name}"
    _label(left, title, "calls made", "calls in all, foretold")
    for other in held_out(_OTHERS):
        _draw_half_way(right, other)
    right.axline((0, 0), slope=1, color=_TRUTH, lw=1, label="as foretold")
    title = f"Half-way in {_OTHERS} other worlds"
    _label(right, title, "calls needed from there", "foretold")
    return figure


def _told(world: World) -> tuple[list[tuple[int, Range]], int]:
    """The calls made and the forecast at each page but the last, and all calls."""
    told: list[tuple[int, Range]] = []
    run = Play(world, wanted_of(world, _SHARE))
    for job in run.steps():
        ahead = forecast(job).calls
        if job.missing and ahead:
            told.append((job.charged, ahead))
    return told, run.calls


def _draw_half_way(axes: Axes, world: World) -> None:
    told, calls = _told(world)
    made, ahead = told[len(told) // 2]
    needed = calls - made
    axes.plot([needed, needed], [ahead.low, ahead.high], color=_BAND, lw=3)
    axes.plot(needed, ahead.expected, "o", color=_OURS, ms=3)


def _label(axes: Axes, title: str, across: str, up: str) -> None:
    axes.set(title=title, xlabel=across, ylabel=up)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")


def main() -> None:
    """Write each picture; the same code writes the same bytes."""
    mpl.rcParams |= {"svg.hashsalt": "headcount", "svg.fonttype": "none"}
    world = read_world(_WORLD)
    for name, figure in (
        ("ways", draw_ways(world)),
        ("forecasts", draw_forecasts(world)),
    ):
        path = IMAGES / f"{name}.svg"
        figure.savefig(path, metadata={"Date": None}, facecolor="white")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
