"""The tools of the operations office's assistant.

They hold to what a file system and a database hold to. What only the policy forbids they let pass, and the invariants
in ``rules.py`` find it.
"""

from __future__ import annotations

import csv
import fnmatch
import io
import posixpath
import re
from datetime import date
from typing import Annotated, Any

import database
from files import clean, file_at, folder_at, inside, put
from pydantic import Field
from world import State

from synth.environments import ToolError, tool

MOST_HITS = 50

Select = Annotated[
    str,
    Field(
        examples=[
            "SELECT status, COUNT(*) FROM bookings GROUP BY status",
            "SELECT id, name FROM vessels WHERE capacity >= 150 ORDER BY name",
        ]
    ),
]
Change = Annotated[
    str,
    Field(
        examples=[
            "UPDATE bookings SET status = 'cancelled' WHERE id = 1003",
            "INSERT INTO maintenance (vessel_id, opened, work) VALUES (2, '2026-04-10', 'hull cleaning')",
        ]
    ),
]
Target = Annotated[str, Field(examples=["/project/trash", "/project/scratch/copy.txt"])]
NewFolder = Annotated[str, Field(examples=["/project/reports/drafts"])]
NewFile = Annotated[str, Field(examples=["/project/scratch/export.csv"])]
Pattern = Annotated[str, Field(examples=["*.csv", "fuel-2026-04-*"])]


@tool
def list_folder(state: State, folder: str) -> dict[str, Any]:
    """List the folders and files in a folder, with size in bytes and the time of the last change.

    Args:
        folder: Absolute path, such as "/project/notes".
    """
    folder = folder_at(state, folder)
    files = [
        {"name": posixpath.basename(name), "bytes": len(file["text"].encode()), "modified": file["modified"]}
        for name, file in sorted(state["files"].items())
        if posixpath.dirname(name) == folder
    ]
    folders = sorted(
        posixpath.basename(name) for name in state["folders"] if name != "/" and posixpath.dirname(name) == folder
    )
    return {"folders": folders, "files": files}


@tool
def find_files(
    state: State, pattern: Pattern, folder: str = "/project", modified_after: date | None = None
) -> list[dict[str, Any]]:
    """Find files by name, in a folder and everything below it.

    Args:
        pattern: A file name with wildcards, such as "*.csv" or "fuel-2026-04-*".
        folder: The folder to look in.
        modified_after: Only files changed on or after this day.
    """
    folder = folder_at(state, folder)
    found = [
        {"path": path, "modified": file["modified"]}
        for path, file in sorted(state["files"].items())
        if inside(path, folder)
        and fnmatch.fnmatchcase(posixpath.basename(path).lower(), pattern.lower())
        and (modified_after is None or file["modified"][:10] >= modified_after.isoformat())
    ]
    return found[:MOST_HITS]


@tool
def read_file(state: State, path: str, first_line: int = 1, lines: int = 100) -> dict[str, Any]:
    """Read a file, or some of its lines.

    Args:
        path: Absolute path of a file.
        first_line: The line to begin at; the first one is 1.
        lines: How many lines, 200 at most.
    """
    file = file_at(state, path)
    if first_line < 1 or not 1 <= lines <= 200:
        raise ToolError("first_line begins at 1, and lines is between 1 and 200")
    every = file["text"].splitlines()
    return {"path": clean(path), "lines": len(every), "text": "\n".join(every[first_line - 1 : first_line - 1 + lines])}


@tool
def search_text(state: State, text: str, folder: str = "/project") -> list[dict[str, Any]]:
    """Find the lines that contain a text, in all files of a folder and everything below it. Case does not matter.

    Args:
        text: What to look for; it is taken literally.
        folder: A folder, or a single file.
    """
    if not text.strip():
        raise ToolError("the text to look for is empty")
    place = clean(folder)
    if place not in state["files"]:
        folder_at(state, place)
    found = []
    for path, file in sorted(state["files"].items()):
        if inside(path, place):
            for number, line in enumerate(file["text"].splitlines(), 1):
                if text.casefold() in line.casefold():
                    found.append({"path": path, "line": number, "text": line[:200]})
    return found[:MOST_HITS]


@tool
def list_tables(state: State) -> list[dict[str, Any]]:
    """List the tables of the database with their number of rows."""
    return [{"table": name, "rows": len(table["rows"])} for name, table in state["tables"].items()]


@tool
def describe_table(state: State, table: str) -> dict[str, Any]:
    """Show the columns of a table, its definition, and its first three rows.

    Args:
        table: Name of a table; list_tables tells them.
    """
    name = _table(state, table)
    return {
        "columns": database.columns(state, name),
        "definition": state["tables"][name]["sql"],
        "first_rows": state["tables"][name]["rows"][:3],
    }


@tool
def query(state: State, sql: Select, limit: int = 50) -> dict[str, Any]:
    """Run a SELECT on the database (SQLite).

    Args:
        sql: One SELECT statement.
        limit: Most rows to return, 200 at most.
    """
    if not 1 <= limit <= database.MOST_ROWS:
        raise ToolError(f"limit must be between 1 and {database.MOST_ROWS}")
    columns, rows = database.select(state, sql, limit + 1)
    return {"columns": columns, "rows": rows[:limit], "more": len(rows) > limit}


@tool(writes=True)
def write_file(state: State, path: str, text: str, overwrite: bool = False) -> dict[str, Any]:
    """Write a text file; its folder must exist.

    Args:
        path: Absolute path of the file.
        text: The whole content.
        overwrite: Replace a file that is there already.
    """
    path = clean(path)
    if path in state["files"]:
        if not overwrite:
            raise ToolError(f"{path} is there already; set overwrite, or take another name")
        state["overwritten"].append(path)
    put(state, path, text)
    return {"path": path, "bytes": len(text.encode())}


@tool(writes=True)
def append_to_file(state: State, path: str, text: str) -> dict[str, Any]:
    """Add text at the end of a file, on a line of its own.

    Args:
        path: Absolute path of a file.
        text: What to add.
    """
    before = file_at(state, path)["text"]
    _edited(state, clean(path))
    gap = "" if not before or before.endswith("\n") else "\n"
    put(state, clean(path), f"{before}{gap}{text}\n")
    return {"path": clean(path), "lines": len(state["files"][clean(path)]["text"].splitlines())}


@tool(writes=True)
def replace_in_file(state: State, path: str, old: str, new: str) -> dict[str, Any]:
    """Replace a text in a file, everywhere it occurs.

    Args:
        path: Absolute path of a file.
        old: The text to replace, exactly as it stands there.
        new: What to write instead.
    """
    before = file_at(state, path)["text"]
    times = before.count(old) if old else 0
    if not times:
        raise ToolError(f"the text does not occur in {clean(path)}")
    _edited(state, clean(path))
    put(state, clean(path), before.replace(old, new))
    return {"path": clean(path), "replaced": times}


@tool(writes=True)
def move_file(state: State, source: str, target: Target) -> dict[str, Any]:
    """Move or rename a file.

    Args:
        source: Absolute path of the file.
        target: Absolute path it gets, or a folder that it is moved into.
    """
    file = file_at(state, source)
    path = _target(state, source, target)
    put(state, path, file["text"])
    state["files"][path]["modified"] = file["modified"]
    del state["files"][clean(source)]
    return {"path": path}


@tool(writes=True)
def copy_file(state: State, source: str, target: Target) -> dict[str, Any]:
    """Copy a file.

    Args:
        source: Absolute path of the file.
        target: Absolute path of the copy, or a folder that it is put into.
    """
    file = file_at(state, source)
    path = _target(state, source, target)
    put(state, path, file["text"])
    return {"path": path}


@tool(writes=True)
def make_folder(state: State, folder: NewFolder) -> dict[str, Any]:
    """Make a folder; the one it lies in must exist.

    Args:
        folder: Absolute path of the new folder.
    """
    path = clean(folder)
    if path in state["folders"] or path in state["files"]:
        raise ToolError(f"{path} is there already")
    folder_at(state, posixpath.dirname(path))
    state["folders"].append(path)
    return {"path": path}


@tool(writes=True)
def delete_file(state: State, path: str) -> dict[str, Any]:
    """Delete a file for good.

    Args:
        path: Absolute path of the file.
    """
    file_at(state, path)
    del state["files"][clean(path)]
    state["deleted"].append(clean(path))
    return {"deleted": clean(path)}


@tool(writes=True)
def change_rows(state: State, sql: Change) -> dict[str, Any]:
    """Run an INSERT, UPDATE or DELETE on the database (SQLite).

    Args:
        sql: One statement.

    Returns:
        The number of rows that were changed.
    """
    changed = database.change(state, sql)
    if changed:
        state["changes"].append({"sql": sql, "rows": changed})
    return {"rows_changed": changed}


@tool(writes=True)
def import_csv(state: State, path: str, table: str) -> dict[str, Any]:
    """Add the rows of a CSV file to a table; the file's first line names columns of the table.

    Args:
        path: Absolute path of a CSV file.
        table: Name of a table.
    """
    name = _table(state, table)
    rows = list(csv.DictReader(io.StringIO(file_at(state, path)["text"])))
    if not rows:
        raise ToolError(f"{clean(path)} has no rows")
    known = [column["name"] for column in database.columns(state, name)]
    unknown = [column for column in rows[0] if column not in known]
    if unknown:
        raise ToolError(f"table {name} has no column {unknown[0]!r}; its columns are {', '.join(known)}")
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise ToolError(f"row {number} of {clean(path)} has not as many fields as the first line")
        values = ", ".join("NULL" if value == "" else f"'{_quoted(str(value))}'" for value in row.values())
        database.change(state, f"INSERT INTO {name} ({', '.join(row)}) VALUES ({values})")  # noqa: S608
    state["changes"].append({"sql": f"import of {clean(path)} into {name}", "rows": len(rows)})
    return {"table": name, "rows_added": len(rows)}


@tool(writes=True)
def export_query(state: State, sql: Select, path: NewFile) -> dict[str, Any]:
    """Write the result of a SELECT to a new CSV file.

    Args:
        sql: One SELECT statement.
        path: Absolute path of the new file.
    """
    path = clean(path)
    if path in state["files"]:
        raise ToolError(f"{path} is there already; take another name")
    columns, rows = database.select(state, sql)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    put(state, path, text.getvalue())
    return {"path": path, "rows": len(rows)}


def _edited(state: State, path: str) -> None:
    """An edit replaces what was there as much as writing the file anew does."""
    if inside(path, "/project/reports"):
        state["overwritten"].append(path)


def _target(state: State, source: str, target: Target) -> str:
    path = clean(target)
    if path in state["folders"]:
        path = posixpath.join(path, posixpath.basename(clean(source)))
    if path in state["files"]:
        raise ToolError(f"{path} is there already")
    return path


def _table(state: State, table: str) -> str:
    if table not in state["tables"]:
        raise ToolError(f"there is no table {table!r}; the tables are {', '.join(state['tables'])}")
    return table


def _quoted(value: str) -> str:
    return re.sub("'", "''", value)
