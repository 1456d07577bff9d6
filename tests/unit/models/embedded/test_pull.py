from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth.errors import RunError, UsageError
from synth.models.embedded import pull
from synth.models.embedded.cache import is_pulled
from synth.models.embedded.pull import ensure_model
from synth.models.progress import ModelState, Warned
from tests.unit.models.embedded.toy import CONTENT, Events, World, build_wheels, install_parts

Usage = namedtuple("Usage", "total used free")


def left_over(world: World) -> list[str]:
    known = {world.model.file, f"{world.model.file}.checked", f"{world.model.file}.lock"}
    return [path.name for path in (world.cache / "models").iterdir() if path.name not in known]


def test_installed_parts_are_joined_checked_and_never_imported(world: World, events: Events) -> None:
    install_parts(world.model, world.site)
    path = ensure_model("toy", events)
    assert path == world.path
    assert path.read_bytes() == CONTENT
    assert is_pulled(world.model)
    assert left_over(world) == []
    assert not [name for name in sys.modules if name.startswith("toy_part")]


def test_progress_never_goes_back_and_ends_at_the_whole(world: World, events: Events) -> None:
    install_parts(world.model, world.site)
    ensure_model("toy", events)
    done = [event.done for event in events if isinstance(event, ModelState)]
    assert done == sorted(done)
    assert done[-1] == len(CONTENT)


def test_a_pulled_model_is_not_read_again(world: World, events: Events) -> None:
    install_parts(world.model, world.site)
    ensure_model("toy")
    assert ensure_model("toy", events) == world.path
    assert events == []


def test_parts_come_from_the_package_index_one_at_a_time(
    world: World, events: Events, capfd: pytest.CaptureFixture[str]
) -> None:
    build_wheels(world.model, world.index)
    assert ensure_model("toy", events).read_bytes() == CONTENT
    assert left_over(world) == []
    assert capfd.readouterr() == ("", "")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(length=st.integers(0, len(CONTENT)))
def test_a_pull_goes_on_where_an_earlier_one_was_cut_off(world: World, length: int) -> None:
    if not any(world.site.iterdir()):
        install_parts(world.model, world.site)
    for path in (world.path, world.path.with_name("toy.gguf.checked")):
        path.unlink(missing_ok=True)
    world.path.parent.mkdir(parents=True, exist_ok=True)
    world.path.with_name("toy.gguf.part").write_bytes(CONTENT[:length])
    events = Events()
    assert ensure_model("toy", events).read_bytes() == CONTENT
    assert events.warnings == []


@pytest.mark.parametrize("junk", [b"junk", b"x" * (len(CONTENT) + 5)], ids=["wrong", "too long"])
def test_what_an_earlier_pull_left_is_dropped_where_it_does_not_fit(world: World, junk: bytes) -> None:
    install_parts(world.model, world.site)
    world.path.parent.mkdir(parents=True)
    world.path.with_name("toy.gguf.part").write_bytes(junk)
    assert ensure_model("toy").read_bytes() == CONTENT


def test_one_source_goes_on_where_another_fell_short(world: World) -> None:
    install_parts(world.model, world.site)
    shutil.rmtree(world.site / "toy_part3-1.0.dist-info")
    build_wheels(world.model, world.index)
    assert ensure_model("toy").read_bytes() == CONTENT


def test_another_version_of_a_part_is_not_the_part(world: World) -> None:
    install_parts(world.model, world.site)
    for info in world.site.glob("*.dist-info/METADATA"):
        info.write_text(info.read_text().replace("Version: 1.0", "Version: 2.0"))
    with pytest.raises(RunError, match=r"package toy-part1 1\.0 is not installed"):
        ensure_model("toy")


def test_a_wrong_checksum_deletes_the_file_and_says_what_to_do(world: World) -> None:
    install_parts(world.model, world.site)
    expected = "0" * 64
    world.pin(sha256=expected)
    with pytest.raises(RunError) as caught:
        ensure_model("toy")
    message = caught.value.message
    assert "toy.gguf has the wrong checksum" in message
    assert f"expected SHA-256 {expected}, got " in message
    assert message.endswith("from installed packages")
    assert "synth models pull" in caught.value.hint
    assert not world.path.exists()
    assert left_over(world) == []


def test_a_source_that_gives_too_much_is_cut_short(world: World) -> None:
    install_parts(world.model, world.site)
    with (world.site / world.model.parts[-1].member).open("ab") as file:
        file.write(bytes(10 * 2**20))
    with pytest.raises(RunError, match="wrong checksum"):
        ensure_model("toy")


def truncate(path: Path) -> None:
    os.truncate(path, len(CONTENT) // 2)


def alter(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"altered")
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("spoil", [truncate, alter, os.unlink])
def test_a_spoilt_cached_file_is_noticed_and_pulled_again(world: World, events: Events, spoil: object) -> None:
    install_parts(world.model, world.site)
    ensure_model("toy")
    assert callable(spoil)
    spoil(world.path)
    assert ensure_model("toy", events).read_bytes() == CONTENT
    said = [warning for warning in events.warnings if "cut off or was changed" in warning]
    assert len(said) == (0 if spoil is os.unlink else 1)


def test_a_cached_file_that_was_only_touched_is_read_once_and_kept(world: World, events: Events) -> None:
    install_parts(world.model, world.site)
    ensure_model("toy")
    os.utime(world.path, ns=(1, 1))
    shutil.rmtree(world.site)
    ensure_model("toy", events)
    assert events.phases == ["checking"]
    assert is_pulled(world.model)


def test_a_full_disk_is_one_line_before_anything_is_fetched(world: World) -> None:
    install_parts(world.model, world.site)
    world.monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 9, 1))
    with pytest.raises(RunError, match=r"the disk is full: toy needs 3 MB in .*models") as caught:
        ensure_model("toy")
    assert "SYNTH_CACHE" in caught.value.hint


def test_a_disk_that_fills_up_on_the_way_is_the_same_line(world: World) -> None:
    def fill_up(*args: object) -> Iterator[bytes]:
        yield CONTENT[:1000]
        raise OSError(errno.ENOSPC, "No space left on device")

    world.monkeypatch.setattr(pull, "SOURCES", (("a disk", fill_up),))
    with pytest.raises(RunError, match=r"the disk is full: toy needs 3 MB in .*models"):
        ensure_model("toy")


def test_a_cache_that_cannot_be_written_is_a_usage_error(world: World) -> None:
    world.cache.write_text("a file where the folder should be")
    with pytest.raises(UsageError, match=r"models cannot be written"):
        ensure_model("toy")


def test_without_any_source_every_reason_is_told(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RunError) as caught:
        ensure_model("toy")
    message = caught.value.message
    assert "model toy could not be pulled" in message
    assert "package toy-part1 1.0 is not installed" in message
    assert "package toy-part1 1.0 is not on the package index" in message
    assert "the model hub: " in message
    assert "toys/toy" in caught.value.hint
    assert str(world.index) not in message
    assert capfd.readouterr() == ("", "")


def test_an_exception_from_the_report_stops_the_pull_and_keeps_what_came(world: World) -> None:
    install_parts(world.model, world.site)

    def interrupt(event: ModelState | Warned) -> None:
        if isinstance(event, ModelState) and event.done > 2**20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_model("toy", interrupt)
    assert world.path.with_name("toy.gguf.part").stat().st_size > 2**20
    assert ensure_model("toy").read_bytes() == CONTENT


WAITER = """
import sys
from pathlib import Path
from tests.unit.models.embedded.toy import make_model
from synth.models.embedded import pull, registry

registry.MODELS = (make_model(),)
def report(event):
    print(getattr(event, "phase", event), flush=True)
print(pull.ensure_model("toy", report).stat().st_size, flush=True)
"""


def test_of_two_processes_one_pulls_and_the_other_waits(world: World, events: Events) -> None:
    install_parts(world.model, world.site)
    others: list[subprocess.Popen[str]] = []
    waiting: list[str] = []

    def report(event: ModelState | Warned) -> None:
        events(event)
        if not others:  # in the midst of our pull, another process asks for the same
            other = subprocess.Popen([sys.executable, "-c", WAITER], stdout=subprocess.PIPE, text=True)
            others.append(other)
            assert other.stdout is not None
            waiting.append(other.stdout.readline().strip())

    ensure_model("toy", report)
    out, _ = others[0].communicate(timeout=30)
    assert waiting == ["waiting for another process that is pulling it"]
    assert out.split()[-1] == str(len(CONTENT))
    assert "pulling\n" not in out


class TestPaths:
    def test_a_gguf_file_is_used_as_it_is(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.gguf"
        path.write_bytes(CONTENT)
        assert ensure_model(str(path)) == path

    @pytest.mark.parametrize("content", [b"", b"GGU", b"PK\x03\x04 not a model"])
    def test_a_file_that_is_no_gguf_is_refused(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "mine.gguf"
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"mine.gguf: this is not a GGUF file"):
            ensure_model(str(path))

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"nowhere.gguf: there is no such file"):
            ensure_model(str(tmp_path / "nowhere.gguf"))

    def test_a_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="directory"):
            ensure_model(f"{tmp_path}/")
