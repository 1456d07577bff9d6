"""``synth view`` on a big run: the first paint, search, the server's memory; in Chromium where there is one.

Makes a scripted run of ``--examples`` first (kept in ``--run`` if named), so that the store is one that synth wrote.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from common import ROOT, show

_SYLLABLES = "ka lo mi ten ar vis ou per sol dan gri be nu ha fel tor em qui ras win".split()
_SEARCHES = 20


def make_run(folder: Path, count: int) -> None:
    """A run of a recipe with one call per example, on the scripted model."""
    from synth import load_recipe, run

    rng = random.Random(1)
    words = ["".join(rng.choices(_SYLLABLES, k=rng.choice([1, 2, 3]))) for _ in range(5000)]
    base = folder.parent / "big-recipe"
    base.mkdir(parents=True, exist_ok=True)
    with (base / "seeds.jsonl").open("w") as file:
        for number in range(2000):
            text = " ".join(rng.choices(words, k=40))
            file.write(json.dumps({"id": f"s{number}", "question": text}) + "\n")
    (base / "answers.yaml").write_text("- {match: 'Rephrase (.*)', answer: ['So: \\1', 'Well: \\1', 'Again: \\1']}\n")
    recipe = {
        "name": "big",
        "models": {"m": {"provider": "scripted", "answers": "answers.yaml", "concurrency": 64}},
        "seeds": {"path": "seeds.jsonl"},
        "axes": {"mood": ["calm", "confused", "angry"], "channel": ["chat", "email", "phone", "letter"]},
        "generate": [
            {
                "id": name,
                "kind": "custom",
                "count": count // 2,
                "steps": [{"as": "answer", "prompt": "Rephrase {{ seed.question }} ({{ unit.index }})"}],
                "accept": "{{ unit.index % 10 }}",
                "output": {
                    "messages": [
                        {"role": "user", "content": "{{ seed.question }}"},
                        {"role": "assistant", "content": "{{ answer }}"},
                    ]
                },
            }
            for name in ("wording", "answers")
        ],
        "diversity": "off",
    }
    (base / "recipe.yaml").write_text(json.dumps(recipe))
    run(load_recipe(base / "recipe.yaml"), run_dir=folder)


def search_words(folder: Path) -> list[str]:
    """Some common and some rare words of the seeds."""
    seeds = [json.loads(line) for line in (folder.parent / "big-recipe" / "seeds.jsonl").read_text().splitlines()]
    rng = random.Random(2)
    return [rng.choice(rng.choice(seeds)["question"].split()) for _ in range(_SEARCHES)]


class Viewer:
    """A ``synth view`` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "synth", "view", str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path) as response:
            return json.load(response)

    def wait_until_read(self) -> float:
        """Seconds until everything is indexed."""
        started = time.monotonic()
        while self.get("api/overview")["reading"] is not None:
            time.sleep(0.2)
        return time.monotonic() - started

    def memory(self) -> float:
        """Peak resident MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024

    def close(self) -> None:
        psutil.Process(self.process.pid).terminate()
        self.process.wait(30)


def first_paint(url: str) -> float | None:
    """Milliseconds from navigation to the first list of examples on the screen; None without Chromium."""
    sys.path.insert(0, str(ROOT))
    from tests.browser.chromium import ARGUMENTS, find_chromium

    if (path := find_chromium()) is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page()
        page.goto("about:blank")
        started = time.monotonic()
        page.goto(url + "#/examples", wait_until="commit")
        page.wait_for_selector("[data-unit]")
        taken = (time.monotonic() - started) * 1000
        browser.close()
    return taken


def measure(folder: Path) -> None:
    started = time.monotonic()
    viewer = Viewer(folder)
    try:
        up = time.monotonic() - started
        early = first_paint(viewer.url)
        indexed = viewer.wait_until_read()
        late = first_paint(viewer.url)
        words = search_words(folder)
        times = []
        for word in words:
            began = time.monotonic()
            viewer.get("api/examples?" + urllib.parse.urlencode({"q": word}))
            times.append((time.monotonic() - began) * 1000)
        total = viewer.get("api/examples")["total"]
        began = time.monotonic()
        viewer.get(f"api/examples?first={total - 100}")
        last_page = (time.monotonic() - began) * 1000
        began = time.monotonic()
        shown = viewer.get("api/examples")["rows"][0]["id"]
        viewer.get(f"api/examples/{shown}")
        opened = (time.monotonic() - began) * 1000
        viewer.get("api/pictures")
        rows = [
            ["server up after", f"{up:.2f} s"],
            ["first list on screen, index just begun", "no Chromium" if early is None else f"{early:.0f} ms"],
            ["first list on screen, all indexed", "no Chromium" if late is None else f"{late:.0f} ms"],
            ["everything indexed after", f"{indexed:.1f} s"],
            ["search, median", f"{statistics.median(times):.0f} ms"],
            ["search, slowest", f"{max(times):.0f} ms"],
            ["last page of the list", f"{last_page:.0f} ms"],
            ["an example opened", f"{opened:.0f} ms"],
            ["peak memory of the server", f"{viewer.memory():.0f} MB"],
        ]
        show(
            f"synth view on {total:,} attempts ({(folder / 'run.sqlite').stat().st_size / 1e6:.0f} MB)",
            ["what", "figure"],
            rows,
        )
    finally:
        viewer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--run", type=Path, help="a folder to keep the run in, or one made so before")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="synth-bench-") as temporary:
        folder = options.run or Path(temporary) / "big"
        if not (folder / "run.sqlite").exists():
            make_run(folder, options.examples)
        measure(folder)


if __name__ == "__main__":
    main()
