# ruff: noqa: E501 - a list of words reads better in long lines
"""`synth clean` on a large JSONL: MB a second, and the peak memory of all its processes together.

    python benchmarks/clean.py [--gigabytes 2] [--workers N] [-- options of synth clean]

The file is written first: texts of 10 to 400 words, a tenth with HTML, a tenth with broken Unicode, a fifth with stray
white space and invisible characters.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson
import psutil

WORDS = """the of and to in is that it for was on are as with they be at this have from or one had by word but not what all were
we when your can said there use an each which she do how their if will up other about out many then them these so some her would
make like him into time has look two more write go see number no way could people my than first water been call who oil its now
find long down day did get come made may part order parcel refund account payment customer delivery invoice address café naïve""".split()


def write(path: Path, size: int) -> None:
    rng = random.Random(1)
    sentences = [" ".join(rng.choices(WORDS, k=rng.randint(6, 20))).capitalize() + "." for _ in range(5000)]
    plain = [one for one in sentences if one.isascii()]
    written, number = 0, 0
    with path.open("wb") as file:
        while written < size:
            text = " ".join(rng.choices(plain if number % 10 < 7 else sentences, k=rng.randint(1, 30)))
            match number % 10:
                case 0:
                    text = f"<div><p>{text.replace('. ', '.</p><p>')}</p>&amp; so on<br></div>"
                case 7:
                    text = text.encode().decode("cp1252", "replace")
                case 3:
                    text = text.replace(" ", "  ", 4) + " \n\n\n\nend"
                case 4:
                    text = text.replace(" ", "\u200b ", 2)
            line = orjson.dumps({"id": number, "text": text, "source": "benchmark"}) + b"\n"
            written += len(line)
            number += 1
            file.write(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=2)
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("options", nargs="*")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="synth-bench-") as folder:
        source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        write(source, int(options.gigabytes * 1e9))
        size = source.stat().st_size
        workers = ["--workers", str(options.workers)] if options.workers else []
        command = [sys.executable, "-m", "synth", "clean", str(source), str(target), *workers, *options.options]
        began, before = time.monotonic(), _children_cpu()
        process = psutil.Popen(command, stderr=subprocess.PIPE, text=True)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _memory(process))
            time.sleep(0.2)
        seconds, cpu = time.monotonic() - began, _children_cpu() - before
        print(process.stderr.read())
        print(
            f"{size / 1e9:.2f} GB in {seconds:.0f} s: {size / 1e6 / seconds:.1f} MB/s, "
            f"{size / 1e6 / cpu:.1f} MB a CPU second; peak memory of all processes {peak / 1e6:.0f} MB"
        )


def _memory(process: psutil.Process) -> int:
    total = 0
    for one in [process, *_running(process)]:
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total


def _running(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _children_cpu() -> float:
    times = psutil.Process().cpu_times()
    return float(times.children_user + times.children_system)


if __name__ == "__main__":
    main()
