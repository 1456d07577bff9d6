from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine
from pathlib import Path

import psutil
import pytest
import uvloop

from synth.errors import FatalModelError, UsageError
from synth.models.process import ChildProcess, is_healthy

READY = "import os, sys, time; print('ready', os.getpid(), flush=True); "
FOREVER = READY + "time.sleep(60)"


def gone(pid: int) -> bool:
    """Whether the process ends soon (a zombie has ended)."""
    for _ in range(300):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def open_files() -> set[str]:
    """What this process holds open that could leak: pipes and files, with their descriptors."""
    return {f"{fd} {os.readlink(f'/proc/self/fd/{fd}')}" for fd in os.listdir("/proc/self/fd") if _is_open(fd)}


def _is_open(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")


async def start(code: str, log: Path, name: str = "a server") -> ChildProcess:
    return await ChildProcess.start(name, [sys.executable, "-c", code], log=log)


async def test_it_reports_runs_and_stops(tmp_path: Path) -> None:
    child = await start(FOREVER, tmp_path / "logs" / "server.log")
    word, pid = (await child.read_report(10)).split()
    assert word == "ready"
    await child.stop()
    assert not child.running
    assert not psutil.pid_exists(int(pid))
    assert not psutil.pid_exists(child.pid)
    assert child.ending == "it was killed by SIGTERM"
    await child.stop()


def test_nothing_is_left_open_on_either_event_loop(tmp_path: Path) -> None:
    async def live() -> None:
        child = await start(FOREVER, tmp_path / "server.log")
        await child.read_report(10)
        await child.stop()

    asyncio.run(live())  # what loops keep open for good is open now
    uvloop.run(live())
    before = open_files()
    asyncio.run(live())
    uvloop.run(live())
    assert open_files() == before
    assert psutil.Process().children() == []


def test_what_left_the_group_keeps_nothing_open(tmp_path: Path) -> None:
    leave = "import subprocess, sys; subprocess.Popen(['sleep', '3'], start_new_session=True); " + FOREVER

    async def live() -> None:
        child = await start(leave, tmp_path / "server.log")
        await child.read_report(10)
        await child.stop()

    asyncio.run(live())
    before = open_files()
    asyncio.run(live())
    assert open_files() == before


async def test_a_server_that_ignores_being_asked_is_ended_by_force(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + FOREVER
    child = await start(stubborn, tmp_path / "server.log")
    pid = int((await child.read_report(10)).split()[1])
    await child.stop(grace=0.1)
    assert gone(pid)
    assert child.ending == "it was killed by SIGKILL"


async def test_what_the_server_started_ends_with_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time; "
        "c = subprocess.Popen([sys.executable, '-c', 'import signal, time; "
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)'], stdout=-1); "
        "c.stdout.readline(); print(c.pid, flush=True); time.sleep(60)"
    )
    child = await start(code, tmp_path / "server.log")
    grandchild = int(await child.read_report(10))
    await child.stop()
    assert gone(grandchild)


async def test_a_server_that_fails_says_why_in_its_own_words(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("E an error of an earlier run\n")
    code = (
        "import sys; e = sys.stderr.write; e('loading\\n'); "
        "e('0.00.063.868 E load: data is not within the file bounds\\n'); e('0.00.063.9 I cleaning up\\n'); "
        "e('0.00.064.0 E load: data is not within the file bounds\\n'); sys.exit(3)"
    )
    child = await start(code, log, "the server of toy")
    with pytest.raises(FatalModelError) as caught:
        await child.read_report(10)
    message = "the server of toy did not start: it ended with status 3\n  E load: data is not within the file bounds"
    assert caught.value.message == message
    assert caught.value.hint == f"its whole log is {log}"
    await child.stop()


async def test_without_an_error_in_the_log_its_end_is_told(tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write(''.join(f'line {i}\\n' for i in range(9)))"
    child = await start(code, tmp_path / "server.log")
    with pytest.raises(FatalModelError, match=r"status 0\n  line 6\n  line 7\n  line 8$"):
        await child.read_report(10)
    await child.stop()


async def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    child = await ChildProcess.start("a server", ["/nowhere/llama"], log=tmp_path / "server.log")
    with pytest.raises(FatalModelError, match=r"(?s)a server did not start.*No such file.*/nowhere/llama"):
        await child.read_report(10)
    await child.stop()


async def test_a_silent_server_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    child = await start("import time; time.sleep(60)", tmp_path / "server.log")
    with pytest.raises(FatalModelError, match="was not ready after 0 s"):
        await child.read_report(0.1)
    await child.stop()


async def test_a_log_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(UsageError, match=r"server.log cannot be written"):
        await start(FOREVER, tmp_path / "logs" / "server.log")


SERVER = """
import http.server, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    seen = 0
    def do_GET(self):
        Handler.seen += 1
        self.send_response(200 if Handler.seen > 2 else 503)
        self.end_headers()
    def log_message(self, *args): pass
server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


async def test_health_is_waited_for(tmp_path: Path) -> None:
    child = await start(SERVER, tmp_path / "server.log")
    url = f"http://127.0.0.1:{await child.read_report(10)}/health"
    await child.wait_healthy(url, 10)
    assert await is_healthy(url)
    await child.stop()
    assert not await is_healthy(url)
    with pytest.raises(FatalModelError, match="did not start: it was killed by SIGTERM"):
        await child.wait_healthy(url, 10)


async def test_health_has_a_deadline(tmp_path: Path) -> None:
    child = await start(FOREVER, tmp_path / "server.log")
    with pytest.raises(FatalModelError, match="was not ready after 0 s"):
        await child.wait_healthy("http://127.0.0.1:9/health", 0.05)
    await child.stop()


PARENT = """
import asyncio, sys, uvloop
from pathlib import Path
from synth.models.process import ChildProcess

async def main():
    child = await ChildProcess.start("a server", [sys.executable, "-c", sys.argv[3]], log=Path(sys.argv[1]))
    print(child.pid, (await child.read_report(10)).split()[1], flush=True)
    await asyncio.sleep(60)

(uvloop.run if sys.argv[2] == "uvloop" else asyncio.run)(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_the_server_ends_with_the_process_that_started_it(tmp_path: Path, loop: str, number: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "server.log"), loop, FOREVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        guard, server = map(int, parent.stdout.readline().split())
        parent.send_signal(number)
        parent.wait()
    assert gone(server)
    assert gone(guard)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next stop() ends what the guard left")
async def test_the_server_ends_with_its_guard(tmp_path: Path) -> None:
    child = await start(FOREVER, tmp_path / "server.log")
    pid = int((await child.read_report(10)).split()[1])
    os.kill(child.pid, signal.SIGKILL)
    assert gone(pid)
    assert await child.wait_ended(5)
    assert child.ending == "it was killed by SIGKILL"
    await child.stop()


async def test_the_terminals_ctrl_c_does_not_reach_it(tmp_path: Path) -> None:
    child = await start(FOREVER, tmp_path / "server.log")
    pid = int((await child.read_report(10)).split()[1])
    assert os.getsid(pid) == child.pid != os.getsid(0)
    await child.stop()


async def cancelled(work: Coroutine[object, object, object]) -> None:
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_stopping_is_not_undone_by_a_second_ctrl_c(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + FOREVER
    child = await start(stubborn, tmp_path / "server.log")
    pid = int((await child.read_report(10)).split()[1])
    await cancelled(child.stop(grace=30))
    assert gone(pid)
    assert await child.wait_ended(5)
