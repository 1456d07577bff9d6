from __future__ import annotations

import os
from pathlib import Path

import pytest

from synth.models.embedded import cores


@pytest.mark.parametrize(
    ("siblings", "quota", "expected"),
    [
        (["0,4", "1,5", "0,4", "1,5"], "max 100000", 2),
        (["0", "1", "2", "3"], "250000 100000", 2),
        (["0", "1", "2", "3"], None, 4),
        (["0", "1"], "50000 100000", 1),
        (None, None, 3),
    ],
    ids=["hyper-threads", "quota", "no control group", "less than one", "unknown topology"],
)
def test_threads_are_physical_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, siblings: list[str] | None, quota: str | None, expected: int
) -> None:
    count = len(siblings) if siblings else 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(count)), raising=False)
    for cpu, text in enumerate(siblings or []):
        topology = tmp_path / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(text)
    if quota:
        (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(cores, "_CPUS", tmp_path)
    monkeypatch.setattr(cores, "_QUOTA", tmp_path / "cpu.max")
    assert cores.physical_cores() == expected
