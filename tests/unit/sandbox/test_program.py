"""Programs that want out, and programs that do not."""

import asyncio
import os
import re
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synth.sandbox import confine
from synth.sandbox.program import Limits, ProgramResult, protection, run_program, run_program_now

MOVES = (
    "os.rename('a', TO)",
    "os.replace('a', TO)",
    "os.link('a', TO)",
    "os.symlink('a', TO)",
    "os.mkfifo(TO)",
    "import posix; posix.mknod(TO)",
    "import sqlite3; sqlite3.connect(TO).execute('create table a (b)')",
)
SHORT = Limits(seconds=1.0)
walls = pytest.mark.skipif(
    not {"landlock", "seccomp"} <= set(protection()), reason="this kernel has no Landlock or no seccomp"
)


def refused(result: ProgramResult) -> bool:
    return result.outcome == "error" and ("PermissionError" in result.stderr or "Operation not perm" in result.stderr)


def test_a_program_prints_and_ends() -> None:
    result = run_program_now("import math, fractions, datetime, re\nprint(math.comb(5, 2))")
    assert (result.outcome, result.stdout, result.stderr) == ("ok", "10\n", "")


def test_what_it_raises_is_told_in_one_line() -> None:
    result = run_program_now("x = 1\nassert x == 2, 'x is not two'")
    assert (result.outcome, result.complaint) == ("error", "AssertionError: x is not two")


def test_only_what_came_to_its_last_line_is_finished() -> None:
    assert run_program_now("import sys\nsys.stdout.write('12')").finished
    for source in ("import sys\nsys.exit()", "import os\nos._exit(0)", "raise SystemExit"):
        result = run_program_now(source)
        assert (result.ok, result.finished, result.complaint) == (True, False, "it ends before its last line")
    assert not run_program_now("1 / 0").finished


def test_the_mark_of_the_end_is_not_in_its_folder_nor_its_output() -> None:
    source = "import os, sys\nprint(sys.argv, dict(os.environ), open('program.py').read(), os.listdir('.'))"
    result = run_program_now(source)
    assert result.finished
    assert not re.search(r"[0-9a-f]{32}", result.stdout)


def test_an_exit_status_is_an_error() -> None:
    assert run_program_now("raise SystemExit(3)").outcome == "error"


def test_sets_of_text_have_the_same_order_every_time() -> None:
    source = "print(list({'a', 'b', 'c', 'd', 'e', 'f'}))"
    assert run_program_now(source).stdout == run_program_now(source).stdout


def test_an_endless_loop_ends() -> None:
    result = run_program_now("while True: pass", limits=SHORT)
    assert result.outcome == "timeout"
    assert result.seconds < 4


def test_sleeping_ends() -> None:
    assert run_program_now("import time\ntime.sleep(60)", limits=SHORT).outcome == "timeout"


def test_closed_pipes_do_not_hide_it() -> None:
    source = "import os, time\nos.close(1); os.close(2)\ntime.sleep(60)"
    assert run_program_now(source, limits=SHORT).outcome == "error"


def test_memory_is_bounded() -> None:
    result = run_program_now("x = bytearray(4 << 30)")
    assert (result.outcome, result.complaint) == ("error", "MemoryError")


def test_output_is_bounded() -> None:
    result = run_program_now("while True: print('x' * 1000)", limits=SHORT)
    assert result.outcome == "output"
    assert len(result.stdout) <= SHORT.output_bytes


def test_there_is_no_input() -> None:
    assert run_program_now("input()").complaint.startswith("EOFError")


@pytest.mark.parametrize(
    "source",
    [
        "import os\nwhile True: os.fork()",
        "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'echo hello'])",
        "import os\nos.execv('/bin/echo', ['echo', 'hello'])",
        "import os\nos.system('echo hello')\nraise PermissionError",
        "import multiprocessing as m\nm.Process(target=print, args=('hello',)).start()",
        "import os\nos.forkpty()",
        "import os\nos.kill(os.getppid(), 9)",
        "import os\nos.killpg(0, 9)\nraise PermissionError",
    ],
)
def test_no_other_process(source: str) -> None:
    result = run_program_now(source, limits=SHORT)
    assert refused(result), result
    assert "hello" not in result.stdout


@walls
def test_no_thread() -> None:
    result = run_program_now("import threading\nthreading.Thread(target=print).start()")
    assert "can't start new thread" in result.complaint


@pytest.mark.parametrize(
    "source",
    [
        "import os, resource\nresource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0))",
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (600, 600))",
        "import os\nos.sched_setaffinity(os.getppid(), {0})",
        "import os\nos.setpriority(os.PRIO_PROCESS, os.getppid(), 5)",
    ],
)
def test_no_limit_priority_or_processor_is_set(source: str) -> None:
    result = run_program_now(source)
    assert refused(result) or result.complaint.startswith("AttributeError: module 'os' has no attribute"), result


def test_its_own_limits_may_be_asked_for() -> None:
    assert run_program_now("import os, resource\nresource.getrlimit(7); os.sysconf('SC_OPEN_MAX')").finished


def test_the_environment_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    result = run_program_now("import os\nprint(dict(os.environ))")
    assert result.ok
    assert "hunter2" not in result.stdout


@pytest.mark.parametrize("path", ["/proc/{parent}/environ", "/proc/self/environ", "/etc/passwd", "{here}/secret"])
def test_no_file_outside_is_read(path: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    target = path.format(parent=os.getpid(), here=tmp_path)
    result = run_program_now(f"print(open({target!r}, 'rb').read())")
    assert refused(result), result


@pytest.mark.parametrize(
    "source",
    ["open({path!r}, 'w')", "import os; os.open({path!r}, os.O_CREAT | os.O_WRONLY)", "import os; os.mkdir({path!r})"],
)
def test_nothing_is_written_outside(source: str, tmp_path: Path) -> None:
    target = tmp_path / "made"
    assert refused(run_program_now(source.format(path=str(target))))
    assert not target.exists()


def test_a_link_does_not_lead_outside(tmp_path: Path) -> None:
    target = tmp_path / "made"
    assert refused(run_program_now(f"import os\nos.symlink({str(target)!r}, 'link')\nopen('link', 'w')"))
    assert not target.exists()


def test_its_own_folder_is_writable_and_gone_afterwards() -> None:
    result = run_program_now(
        "import os\nopen('notes.txt', 'w').write('x')\nprint(os.getcwd(), open('notes.txt').read())"
    )
    folder, text = result.stdout.split()
    assert (result.outcome, text) == ("ok", "x")
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("machine", "harmless"),
    [("x86_64", (0, 1, 2, 9, 72, 97, 302)), ("aarch64", (25, 56, 63, 64, 94, 163, 261))],  # read, fcntl and the like
)
def test_system_calls_of_processes_and_sockets_are_refused_by_any_number(machine: str, harmless: tuple[int]) -> None:
    """What the kernel would do with the filter: x32 calls on x86-64 have bit 30 set."""
    refused_calls = [int(number) for number in confine._REFUSED_CALLS[machine].split()]
    wide = [0x40000000 + number for number in (*refused_calls, 0)] if machine == "x86_64" else []
    for number in (*refused_calls, *wide):
        assert filtered(machine, number) == 0x00050001, number
    for number in harmless:
        assert filtered(machine, number) == 0x7FFF0000, number


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_limits_may_be_asked_for_but_not_set_and_no_file_signals_to_others(machine: str) -> None:
    limit, control = confine._PRLIMIT[machine], confine._FCNTL[machine]
    for number, *arguments in ((limit, 0, 7, 0, 1 << 40), (control, 1, 2, 8), (control, 1, 1030, 10)):
        assert filtered(machine, number, *arguments) == 0x7FFF0000, arguments
    for number, *arguments in ((limit, 0, 7, 5), (limit, 0, 7, 1 << 40), (control, 1, 8, 9), (control, 1, 15, 9)):
        assert filtered(machine, number, *arguments) == 0x00050001, arguments


def filtered(machine: str, number: int, *arguments: int) -> int:
    """The verdict of the filter, by the rules of classic BPF."""
    code = [struct.unpack("HBBI", one) for one in confine.seccomp_filter(machine)]
    call = struct.pack("<IIQ6Q", number, confine._ARCHITECTURES[machine], 0, *arguments, *[0] * (6 - len(arguments)))
    place, loaded = 0, 0
    while True:
        operation, if_true, if_false, value = code[place]
        place += 1
        match operation:
            case 0x20:
                (loaded,) = struct.unpack_from("<I", call, value)
            case 0x15 | 0x35:
                place += if_true if (loaded == value if operation == 0x15 else loaded >= value) else if_false
            case 0x06:
                return int(value)


@pytest.mark.parametrize("source", MOVES)
def test_the_audit_hook_alone_keeps_files_inside(source: str, tmp_path: Path) -> None:
    """As on a system without Landlock: the hook in a bare process, the working directory its folder."""
    folder, outside = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    script = f"import os, sys; sys.path.insert(0, {str(Path(confine.__file__).parent)!r}); import confine; "
    script += (
        f"os.chdir({str(folder)!r}); open('a', 'w').close(); confine._watch({str(folder)!r}); TO = {str(outside)!r}\n"
    )
    ended = subprocess.run([sys.executable, "-c", script + source], capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert not outside.exists()


def test_folders_without_end_are_not_made() -> None:
    assert refused(run_program_now("import os\nfor number in range(1000): os.mkdir(str(number))"))


@pytest.mark.parametrize("family", ["AF_INET", "AF_UNIX"])
def test_no_socket(family: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        source = f"import socket\ns = socket.socket(socket.{family})\ns.connect(('127.0.0.1', {port}))"
        assert refused(run_program_now(source))


@pytest.mark.parametrize(
    "source",
    [
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/')",
        "import socket\nsocket.getaddrinfo('localhost', 80)",
        "import asyncio\nasyncio.run(asyncio.open_connection('127.0.0.1', 9))",
    ],
)
def test_no_network_by_any_library(source: str) -> None:
    assert refused(run_program_now(source))


@walls
@pytest.mark.parametrize(
    "source",
    [
        "import os; os.fork()",
        "import os; os.kill(os.getppid(), 0)",
        "import os; os.execv('/bin/echo', ['echo', 'hello'])",
        "import socket; socket.socket()",
        "open('/etc/passwd')",
        "open('/proc/self/environ')",
        "open('/tmp/synth-sandbox-escape', 'w')",
        "import os; os.sched_setaffinity(os.getppid(), {0})",
        "import os; os.setpriority(os.PRIO_PROCESS, os.getppid(), 5)",
        "import os, resource; resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0))",
        "import os, fcntl; fcntl.fcntl(1, fcntl.F_SETOWN, os.getppid())",
    ],
)
def test_the_kernel_refuses_where_the_audit_hook_is_got_around(source: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(source)
    limits = {"cpu_seconds": 2, "memory_bytes": 1 << 29, "file_bytes": 1 << 20, "report": False}
    unwatched = (
        f"import sys, json; sys.path.insert(0, {str(Path(confine.__file__).parent)!r}); import confine; "
        "confine._watch = lambda folder: None; "
        f"sys.argv = ['confine', {str(tmp_path)!r}, json.dumps({limits})]; confine.main()"
    )
    ended = subprocess.run([sys.executable, "-c", unwatched], capture_output=True, text=True, env={}, check=False)
    assert ended.returncode == 1
    assert "PermissionError" in ended.stderr


async def test_cancelling_kills_it() -> None:
    started = time.monotonic()
    task = asyncio.create_task(run_program("while True: pass", limits=Limits(seconds=30)))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.get_running_loop().shutdown_default_executor()
    assert time.monotonic() - started < 20


async def test_many_at_once() -> None:
    results = await asyncio.gather(*(run_program(f"print({number})") for number in range(8)))
    assert [result.stdout.strip() for result in results] == [str(number) for number in range(8)]


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_FSIZE kills on Linux")
def test_a_file_cannot_grow_without_end() -> None:
    result = run_program_now("f = open('big', 'wb')\nfor _ in range(100): f.write(bytes(1 << 20))\nf.flush()")
    assert result.outcome == "error"


def test_files_without_end_do_not_fill_the_disk() -> None:
    result = run_program_now("for number in range(10_000): open(str(number), 'w').write('x')")
    assert result.complaint == "PermissionError: the sandbox does not allow more than 64 files to be written"
