"""The live display of a run on a terminal: one line per generator, one for all of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from synth.events import Event, ModelState, RunFinished, RunStarted, Stopping, Warned
from synth.progress.ending import print_ending
from synth.progress.tally import GeneratorTally, Tally
from synth.progress.words import format_count, format_duration, format_left, format_reasons, format_usd

_WIDE = 96
"""Columns from which a generator's line has room for its speed and its cost."""
_NARROW = 56


class LiveProgress:
    """A listener. Use it as a context: the display ends with it, whatever happens; warnings stay above it.

    ``resume`` is the command that resumes the run; without ``ending`` nothing is said of how it ended.
    """

    def __init__(self, console: Console, *, resume: str = "", ending: bool = True) -> None:
        self._console = console
        self._resume = resume
        self._ending = ending
        self._tally = Tally()
        self._name = ""
        self._stopping = ""
        self._warned: set[str] = set()
        self._live = Live(console=console, get_renderable=self.render, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        match event:
            case Warned(message=message):
                if message not in self._warned:
                    self._warned.add(message)
                    self._console.print(Text(f"warning: {message}", style="yellow"), soft_wrap=True)
            case RunFinished():
                self._live.stop()
                if self._ending:
                    print_ending(self._console, event, resume=self._resume)
            case _:
                with self._tally.lock:
                    self._tally.add(event)
                    if isinstance(event, RunStarted):
                        self._name = event.name
                    elif isinstance(event, Stopping):
                        self._stopping = event.reason

    def render(self) -> RenderableType:
        with self._tally.lock:
            parts: list[RenderableType] = [self._generators()] if self._tally.generators else []
            parts += [_state(state) for state in self._tally.states.values()]
            parts.append(self._foot())
        return Group(*parts)

    def _generators(self) -> Table:
        width = self._console.width
        rows = Table.grid(
            Column(no_wrap=True, overflow="ellipsis", max_width=max(8, width // 4)),
            Column(width=12 if width < _NARROW else 24),
            Column(justify="right", no_wrap=True),
            *([Column(ratio=1, no_wrap=True, overflow="ellipsis", style="dim")] if width >= _NARROW else []),
            *([Column(justify="right", no_wrap=True), Column(justify="right", no_wrap=True)] if width >= _WIDE else []),
            Column(justify="right", no_wrap=True, style="dim"),
            padding=(0, 2, 0, 0),
            expand=True,
        )
        for generator in self._tally.generators.values():
            rows.add_row(*self._cells(generator, width))
        return rows

    def _cells(self, generator: GeneratorTally, width: int) -> list[RenderableType]:
        bar = ProgressBar(
            total=generator.requested, completed=generator.accepted, complete_style="cyan", finished_style="green"
        )
        cells: list[RenderableType] = [generator.id, bar, f"{generator.accepted:,}/{generator.requested:,}"]
        if width >= _NARROW:
            cells.append(_Reasons(dict(generator.rejected)))
        if width >= _WIDE:
            speed = self._tally.tokens_per_second(generator)
            cells += [
                f"{format_count(speed)} tokens/s" if speed and not generator.done else "",
                format_usd(generator.cost_usd) if generator.cost_usd else "",
            ]
        left = generator.seconds_left(self._tally.now())
        cells.append("done" if generator.done else f"{format_left(left)} left" if left is not None else "")
        return cells

    def _foot(self) -> Text:
        words = [self._name] if self._name else []
        words.append(format_duration(self._tally.elapsed()))
        if self._stopping:
            words.append(f"{self._stopping}: what was answered is kept")
        elif self._tally.generators:
            words += totals(self._tally)
        return Text(" · ".join(words), style="dim", no_wrap=True, overflow="ellipsis")


def totals(tally: Tally) -> list[str]:
    """What the run as a whole has used, how fast it is, what it costs and how long it will take, as far as known."""
    words = []
    if tally.calls:
        words.append(f"{format_count(tally.calls)} calls, {format_count(tally.usage.total)} tokens")
    speed, in_all, left = tally.tokens_per_second(), tally.cost_in_all(), tally.seconds_left()
    if speed:
        words.append(f"{format_count(speed)} tokens/s")
    cost = format_usd(tally.cost_usd)
    if tally.unpriced:
        words.append("cost unknown" if not tally.cost_usd else f"more than {cost}")
    elif in_all is not None and in_all > tally.cost_usd:
        words.append(f"{cost} of about {format_usd(in_all)}")
    else:
        words.append(cost)
    if left:
        words.append(f"about {format_left(left)} left")
    return words


class _Reasons:
    """As many reasons of rejection as there is room for."""

    def __init__(self, rejected: Mapping[str, int]) -> None:
        self._rejected = rejected

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._rejected:
            choices = [f"rejected: {format_reasons(self._rejected, most)}" for most in (3, 2, 1)]
            choices.append(f"{sum(self._rejected.values())} rejected")
            fitting = [choice for choice in choices if len(choice) <= options.max_width]
            yield Text(fitting[0] if fitting else choices[-1], no_wrap=True, overflow="ellipsis", style="dim")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(0, options.max_width)


def _state(state: ModelState) -> RenderableType:
    said = Text(f"{state.model}: {state.phase}", no_wrap=True, overflow="ellipsis")
    if not state.total:
        return said
    line = Table.grid(Column(), Column(width=24), Column(), padding=(0, 2, 0, 0))
    done, total = state.done / 1e6, state.total / 1e6
    line.add_row(said, ProgressBar(total=state.total, completed=state.done), f"{done:,.0f} of {total:,.0f} MB")
    return line
