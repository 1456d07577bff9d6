"""The folder tree of the world: paths are absolute, texts are UTF-8."""

from __future__ import annotations

import posixpath
from typing import Any

from synth.environments import ToolError

State = dict[str, Any]

MOST_BYTES = 200_000


def clean(path: str) -> str:
    """The absolute form of a path. Raises ``ToolError``."""
    if not path.startswith("/"):
        raise ToolError(f"{path!r} is no absolute path; it must begin with '/'")
    if "\n" in path or "\0" in path or len(path) > 300:
        raise ToolError("a path has at most 300 characters, and no line breaks")
    made = posixpath.normpath(path)
    return "/" + made.lstrip("/")


def file_at(state: State, path: str) -> dict[str, Any]:
    path = clean(path)
    if path in state["folders"]:
        raise ToolError(f"{path} is a folder; list_folder shows what is in it")
    if path not in state["files"]:
        raise ToolError(f"there is no file {path}{_near(state, path)}")
    found: dict[str, Any] = state["files"][path]
    return found


def folder_at(state: State, path: str) -> str:
    path = clean(path)
    if path in state["files"]:
        raise ToolError(f"{path} is a file, not a folder")
    if path not in state["folders"]:
        raise ToolError(f"there is no folder {path}")
    return path


def put(state: State, path: str, text: str) -> None:
    """Write a file whose folder exists."""
    if len(text.encode()) > MOST_BYTES:
        raise ToolError(f"a file may have {MOST_BYTES:,} bytes at most")
    folder_at(state, posixpath.dirname(path))
    if path in state["folders"]:
        raise ToolError(f"{path} is a folder")
    state["files"][path] = {"text": text, "modified": state["now"]}


def inside(path: str, folder: str) -> bool:
    return folder == "/" or path == folder or path.startswith(folder.rstrip("/") + "/")


def _near(state: State, path: str) -> str:
    name = posixpath.basename(path)
    found = sorted(other for other in state["files"] if posixpath.basename(other) == name)
    return f"; there is {', '.join(found[:3])}" if found else "; find_files finds files by name"
