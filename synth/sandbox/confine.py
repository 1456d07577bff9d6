"""Runs one program confined: this file is the process that :mod:`synth.sandbox.program` starts, and imports no synth.

    python -P -s -S confine.py FOLDER LIMITS

FOLDER holds ``program.py`` and is all that the program may write to; LIMITS is JSON. What protects, in layers:

- everywhere: the clean environment it is given, ``RLIMIT_*`` (CPU time, address space, file size, open files, no core),
  and an audit hook that refuses sockets, processes, ``ctypes``, signals, and files outside. The hook stops Python code
  that does not try to get around it; it is no wall against code that knows CPython's insides.
- Linux 5.13 and newer: Landlock. Files are read from the interpreter's own folders and FOLDER, written in FOLDER, and
  nowhere else; ``/proc`` is out of reach, and with it every other process's environment.
- Linux on x86-64 and aarch64: seccomp. No socket, no new process or thread, no exec, no signal, no tracing, no limit,
  priority or processors set for any process, no System V IPC, and no clock set, whatever the code does.

Where a layer cannot be had (macOS, an old kernel) the others remain: ``synth.sandbox.program.protection()`` tells.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
from types import CodeType

_MOST_FILES = 64
"""Opened for writing, and folders made, in all: with the limit of one file's size this bounds what lies on the disk."""
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_READ_RIGHTS = 1 << 2 | 1 << 3  # read a file, list a folder
_ALL_RIGHTS = (1 << 13) - 1  # ABI 1: everything that touches a file
_MAKE_SPECIAL = 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11  # devices, sockets and pipes with a name: for nobody
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_FILE_RIGHTS = 1 << 0 | 1 << 1 | 1 << 2 | _TRUNCATE  # what may be granted on a file that is no folder

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# socket, connect, bind, socketpair; clone, fork, vfork, clone3, execve, execveat; kill, tkill, tgkill, pidfd_open,
# pidfd_send_signal; ptrace, process_vm_readv, process_vm_writev; setsid, setpgid; unshare, mount, io_uring_setup, bpf,
# userfaultfd, perf_event_open, keyctl, add_key, request_key; rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_getfd,
# process_madvise, process_mrelease, kcmp, migrate_pages, move_pages, setns; setrlimit, setpriority, ioprio_set,
# sched_setparam, sched_setscheduler, sched_setaffinity, sched_setattr; shmget, shmat, shmctl, semget, semop, semctl,
# semtimedop, msgget, msgsnd, msgrcv, msgctl; settimeofday, clock_settime, adjtimex, clock_adjtime
_REFUSED_CALLS = {
    "x86_64": (
        "41 42 49 53 56 57 58 435 59 322 62 200 234 434 424 101 310 311 112 109 272 165 425 321 323 298 250 248 249 "
        "129 297 438 440 448 312 256 279 308 160 141 251 142 144 203 314 "
        "29 30 31 64 65 66 220 68 69 70 71 164 227 159 305"
    ),
    "aarch64": (
        "198 203 200 199 220 435 221 281 129 130 131 434 424 117 270 271 157 154 97 40 425 280 282 241 219 217 218 "
        "138 240 438 440 448 272 238 239 268 164 140 30 118 119 122 274 "
        "194 196 195 190 193 191 192 186 189 188 187 170 112 171 266"
    ),
}
_PRLIMIT = {"x86_64": 302, "aarch64": 261}
_FCNTL = {"x86_64": 72, "aarch64": 25}
_SET_OWNER, _SET_OWNER_EX = 8, 15
"""Of fcntl: whom the kernel sends a signal when a file is ready, which may be any process."""

_REFUSED_EVENTS = tuple(
    (
        "socket. sqlite3. subprocess. pty. ctypes. fcntl. syslog. winreg. msvcrt. signal.pthread_kill "
        "gc.get_objects gc.get_referrers os.fork os.exec os.posix_spawn os.spawn "
        "os.system os.kill os.chmod os.chown os.putenv resource.prlimit resource.setrlimit"
    ).split()
)
_PATH_EVENTS = tuple(
    (
        "open shutil. os.listdir os.scandir os.walk os.mkdir os.rmdir os.remove os.rename os.link os.symlink "
        "os.truncate os.utime os.chdir"
    ).split()
)

_UNWATCHED = "mkfifo mknod pidfd_open sched_setaffinity sched_setparam sched_setscheduler setpriority".split()
"""Of ``os``: no event tells of these, so they are taken out."""


def _limit(limits: dict[str, int]) -> None:
    cpu = limits["cpu_seconds"]
    for which, value in (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
    ):
        try:
            resource.setrlimit(which, (value, value))
        except (OSError, ValueError):
            continue  # macOS knows no RLIMIT_AS; the wall clock and the kill remain


def _landlock(folder: str, libc: object) -> bool:
    """Let files be read where Python lives, and written in ``folder`` alone."""
    call = libc.syscall  # type: ignore[attr-defined]
    version = call(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    handled = _ALL_RIGHTS | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    handled |= _IOCTL if version >= 5 else 0
    network = 3 if version >= 4 else 0
    scoped = 3 if version >= 6 else 0
    size = 8 if version < 4 else 16 if version < 6 else 24
    attributes = struct.pack("QQQ", handled, network, scoped)[:size]
    ruleset = call(_LANDLOCK_CREATE, attributes, size, 0)
    if ruleset < 0:
        return False
    readable = {
        os.path.dirname(os.__file__),
        sys.base_prefix + "/lib",
        sys.prefix + "/lib",
        "/usr/lib",
        "/lib",
        "/lib64",
    }
    readable |= {"/usr/share/zoneinfo", "/dev/urandom", "/dev/null", os.path.dirname(os.path.abspath(__file__))}
    rules = [(path, _READ_RIGHTS) for path in readable] + [
        (folder, handled & ~_MAKE_SPECIAL),
        ("/dev/null", 1 << 1 | 1 << 2),
    ]
    for path, rights in rules:
        try:
            at = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = rights & handled if os.path.isdir(path) else rights & handled & _FILE_RIGHTS
        call(_LANDLOCK_ADD, ruleset, 1, struct.pack("=Qi", allowed, at), 0)
        os.close(at)
    done = call(_LANDLOCK_RESTRICT, ruleset, 0) == 0
    os.close(ruleset)
    return bool(done)


def _seccomp(libc: object) -> bool:
    """Refuse with EPERM every system call that makes a process, a socket or a signal, or reaches another process."""
    import ctypes

    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        return False
    code = seccomp_filter(machine)
    program = ctypes.create_string_buffer(b"".join(code))
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code), ctypes.addressof(program)))
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, filter_, 0, 0) == 0)  # type: ignore[attr-defined]


def seccomp_filter(machine: str) -> list[bytes]:
    """The filter's instructions (classic BPF) for ``x86_64`` or ``aarch64``."""
    numbers = [int(number) for number in _REFUSED_CALLS[machine].split()]
    load, equal, at_least, end = 0x20, 0x15, 0x35, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050000 | 1, 0x80000000
    # (instruction, how many to skip if true, how many if false, value); at 0 stands the call's number, at 4 the
    # architecture, and at 16 + 8 n its argument n, the low half first
    with_arguments = [
        (equal, 0, 4, _PRLIMIT[machine]),  # getrlimit is this call too, with no new limit
        (load, 0, 0, 32),
        (equal, 0, 7, 0),
        (load, 0, 0, 36),
        (equal, 4, 5, 0),
        (equal, 0, 3, _FCNTL[machine]),
        (load, 0, 0, 24),
        (equal, 2, 0, _SET_OWNER),
        (equal, 1, 0, _SET_OWNER_EX),
        (end, 0, 0, allow),
        (end, 0, 0, refuse),
    ]
    to_refuse = len(numbers) + len(with_arguments) - 1
    code = [
        (load, 0, 0, 4),
        (equal, 1, 0, _ARCHITECTURES[machine]),
        (end, 0, 0, kill),
        (load, 0, 0, 0),
        (at_least, to_refuse, 0, 0x40000000),  # x32 calls have other numbers for the same things: all are refused
        *((equal, to_refuse - 1 - place, 0, number) for place, number in enumerate(numbers)),
        *with_arguments,
    ]
    return [struct.pack("HBBI", *instruction) for instruction in code]


def _watch(folder: str) -> None:
    """The audit hook; it cannot be taken off again."""
    readable = tuple({os.path.dirname(os.__file__), sys.base_prefix, sys.prefix})
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    absolute, fspath = os.path.realpath, os.fspath
    written = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(_REFUSED_EVENTS):
            raise PermissionError(f"the sandbox does not allow {event}")
        if not event.startswith(_PATH_EVENTS) or not arguments or isinstance(arguments[0], int | None):
            return
        nonlocal written
        if event == "os.mkdir" or (event == "open" and _writes(arguments, writing)):
            written += 1
            if written > _MOST_FILES:
                raise PermissionError(f"the sandbox does not allow more than {_MOST_FILES} files to be written")
        reads = event in ("os.listdir", "os.scandir") or (event == "open" and not _writes(arguments, writing))
        for argument in arguments[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1]:
            path = absolute(fspath(argument))  # type: ignore[call-overload]
            path = path.decode() if isinstance(path, bytes) else path
            if path != folder and not path.startswith(folder + os.sep) and not (reads and path.startswith(readable)):
                raise PermissionError(f"the sandbox does not allow {event} on {path}")

    for module in (os, sys.modules["posix"]):
        for name in _UNWATCHED:
            vars(module).pop(name, None)
    sys.addaudithook(hook)


def _writes(arguments: tuple[object, ...], writing: int) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    return bool(isinstance(flags, int) and flags & writing)


def _confine(folder: str, limits: dict[str, int]) -> list[str]:
    """Put up every layer there is; the names of those that hold."""
    _limit(limits)  # before seccomp, which lets no limit be set
    held = ["limits", "audit"]
    if sys.platform == "linux":
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
            held += ["landlock"] if _landlock(folder, libc) else []
            held += ["seccomp"] if _seccomp(libc) else []
    _watch(folder)
    return held


def _load(folder: str) -> CodeType:
    with open(os.path.join(folder, "program.py"), encoding="utf-8") as file:
        return compile(file.read(), "program.py", "exec", dont_inherit=True)


def main() -> None:
    folder, limits = os.path.realpath(sys.argv[1]), json.loads(sys.argv[2])
    os.chdir(folder)
    held = _confine(folder, limits)
    if limits["report"]:
        print(json.dumps(held))
        return
    sys.argv = ["program.py"]
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))] + [folder]
    for name in ("ctypes", "_ctypes", "resource", "struct", "json"):
        sys.modules.pop(name, None)
    exec(_load(folder), {"__name__": "__main__", "__builtins__": __builtins__})  # noqa: S102 - what it is here for
    for stream in {sys.stdout, sys.__stdout__}:
        if stream is not None and not stream.closed:
            stream.flush()
    os.write(1, limits["mark"].encode())  # it came to its end; one that looks for this in our frames could say so too


if __name__ == "__main__":
    main()
