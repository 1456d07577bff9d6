"""``synth view``."""

from __future__ import annotations

from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal


@click.command()
@click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Serve at this port; a free one else.")
@click.option("--open", "open_browser", is_flag=True, help="Open the page in the browser.")
@pass_terminal
def command(terminal: Terminal, run: Path, port: int, open_browser: bool) -> None:
    """Look at the run in DIR in the browser: while it is at work, and after it ended.

    The address is for this machine alone. Nothing is changed but the marks that you give to examples, which are kept in
    marks.jsonl of the run folder. Ctrl-C ends it.
    """
    import asyncio

    try:
        asyncio.run(_serve(terminal, run, port, open_browser=open_browser))
    except KeyboardInterrupt:
        terminal.say("")


async def _serve(terminal: Terminal, run: Path, port: int, *, open_browser: bool) -> None:
    import asyncio
    import signal
    import sys

    from synth.view.server import viewing

    ended = asyncio.Event()
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with viewing(run, port) as address:
        click.echo(address)
        sys.stdout.flush()
        terminal.say("Ctrl-C ends it")
        if open_browser:
            import webbrowser

            await asyncio.to_thread(webbrowser.open, address)
        await ended.wait()
