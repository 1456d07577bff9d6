"""``synth envs``, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

LIBRARY = Path(__file__).parents[1] / "unit" / "environments" / "library"


def synth(*arguments: str, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "synth.cli.main", "envs", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )


def test_list_names_the_shipped_worlds(tmp_path: Path) -> None:
    done = synth("list", cwd=tmp_path)
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["calendar", "filesystem_sql", "retail"]


@pytest.mark.parametrize("name", ["calendar", "filesystem_sql", "retail"])
def test_a_walk_of_a_thousand_calls_in_each_world(name: str) -> None:
    done = synth("check", name, "--json")
    assert done.returncode == 0, done.stderr
    report = orjson.loads(done.stdout)
    assert report["ok"]
    assert report["problems"] == []
    assert report["walk"]["calls"] == 1000
    assert report["walk"]["succeeded"] > 300
    assert report["walk"]["refused"] > 200
    assert report["walk"]["wrote"] > 80
    assert report["walk"]["broken_invariants"]


def test_check_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").write_text("name: bad\ndescription: Bad.\n", encoding="utf-8")
    tools = 'from synth.environments import tool\n\n@tool\ndef bad(state) -> int:\n    """Bad."""\n    return {1}\n'
    (tmp_path / "tools.py").write_text(tools, encoding="utf-8")
    done = synth("check", str(tmp_path))
    assert done.returncode == 1
    assert "problem: seed 0: tool 'bad' returned what is not JSON" in done.stdout
    assert done.stdout.endswith("not fit for use\n")
    assert done.stderr == ""


def test_check_of_what_is_not_there() -> None:
    done = synth("check", "nowhere")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "synth: there is no environment 'nowhere'",
        "  a path, or one of: calendar, filesystem_sql, retail",
    ]


def test_play_with_piped_lines() -> None:
    lines = [
        "tools",
        'find_books {"text": "sea"}',
        'lend_book {"member_id": "nobody", "book_id": "B101"}',
        "state /books/B101/title",
        "tool get_member",
        "policy",
        "dance {}",
    ]
    done = synth("play", str(LIBRARY), "--seed", "2", stdin="\n".join(lines))
    assert done.returncode == 0, done.stderr
    assert "  lend_book(member_id, book_id) writes" in done.stdout
    assert '"book_id": "B101"' in done.stdout
    assert '"error": "there is no member nobody"' in done.stdout
    assert '"The Sea Road"' in done.stdout
    assert "A member may have three books at most." in done.stdout
    assert "there is no tool 'dance'" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("3 calls; state ")


def test_play_shows_what_changes() -> None:
    state = synth("play", str(LIBRARY), stdin="state /members\n").stdout
    member = next(line.split('"')[1] for line in state.splitlines() if line.startswith('  "M'))
    done = synth("play", str(LIBRARY), stdin=f'lend_book {{"member_id": "{member}", "book_id": "B103"}}\n')
    assert f'+ /members/{member}/loans/0: "B103"' in done.stdout
    assert "~ /books/B103/copies: " in done.stdout
