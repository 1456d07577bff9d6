"""Reading a run folder while its run is at work, and after."""

import sqlite3
from pathlib import Path

import pytest
from filelock import FileLock

from synth.errors import UsageError
from synth.job import run
from synth.reader import RunReader
from synth.recipe.load import load_recipe

RECIPE = """\
name: t
models:
  m: {provider: scripted}
generate:
  - kind: custom
    id: raw
    count: 4
    steps: [{as: draft, prompt: "Say {{ unit.index }}"}]
    accept: "{{ unit.index % 3 }}"
    output: {messages: [{role: user, content: hi}, {role: assistant, content: "{{ draft }}"}]}
diversity: "off"
"""


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    folder = tmp_path / "runs" / "t"
    assert run(load_recipe(tmp_path / "recipe.yaml"), run_dir=folder).ending.status == "complete"
    return folder


def test_counts_are_those_of_the_summary(finished: Path) -> None:
    with RunReader(finished) as reader:
        assert reader.summary is not None
        assert reader.tally() == reader.summary["generators"]
        assert reader.tally()["raw"]["rejected"] == {"accept": 2}


def test_lists_the_newest_attempts_in_plan_order(finished: Path) -> None:
    with RunReader(finished) as reader:
        assert [line.unit[-1] for line in reader.attempts(newest=3)] == ["3", "4", "5"]
        assert [line.unit[-1] for line in reader.attempts(accepted=False)] == ["0", "3"]
        assert [line.unit[-1] for line in reader.attempts(generator="raw", accepted=True)] == ["1", "2", "4", "5"]


def test_an_attempt_comes_with_its_calls(finished: Path) -> None:
    with RunReader(finished) as reader:
        attempt = reader.attempt("raw-000003")
        assert attempt is not None
        assert (attempt.gate, attempt.row["id"]) == ("accept", "raw-000003")
        (call,) = reader.calls("raw-000003")
        assert call["request"]["messages"] == [{"role": "user", "content": "Say 3"}]
        assert reader.attempt("raw-000009") is None


def test_ids_may_be_short_and_wrong_ones_are_put_right(finished: Path) -> None:
    with RunReader(finished) as reader:
        assert reader.find_unit("raw-3") == reader.find_unit("raw-000003/draft.0") == "raw-000003"
        with pytest.raises(UsageError, match="no example 'raw-000099'") as missing:
            reader.find_unit("raw-99")
        assert missing.value.hint == "raw has attempts up to raw-000005"
        with pytest.raises(UsageError) as misspelt:
            reader.find_unit("rwa-3")
        assert misspelt.value.hint == "did you mean 'raw'?"


def test_a_run_at_work_is_recognised_by_its_lock(finished: Path) -> None:
    (finished / "run.pid").write_text("4711\n")

    def running() -> int | None:
        with RunReader(finished) as reader:
            return reader.running

    assert running() is None  # the file was left by a process that was killed
    with FileLock(finished / "run.lock"):
        assert running() == 4711


def test_a_store_that_is_being_written_is_read(finished: Path) -> None:
    writer = sqlite3.connect(finished / "run.sqlite")
    writer.execute("UPDATE attempts SET gate = 'late' WHERE gate IS NULL")
    writer.commit()
    with RunReader(finished) as reader:
        assert reader.tally()["raw"]["rejected"] == {"accept": 2, "late": 4}
    writer.close()


def test_where_there_is_no_run_those_near_are_named(finished: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder") as misspelt:
        RunReader(finished.parent / "tt")
    assert misspelt.value.hint == f"did you mean {str(finished)!r}?"
    with pytest.raises(UsageError, match="holds no run"):
        RunReader(finished.parent)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.sqlite").write_bytes(b"this is not a database, whatever its name says" * 30)
    with pytest.raises(UsageError, match="not a run store that can be read") as caught:
        RunReader(tmp_path)
    assert "make the run anew" in caught.value.hint


def test_reading_leaves_the_folder_as_it_is(finished: Path) -> None:
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    with RunReader(finished) as reader:
        reader.tally()
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before
