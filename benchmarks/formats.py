"""Rows through every export format and back: what is written, what loads, and what comes back identical.

    python -m benchmarks.formats [--rows 10000] [--tokenizer FOLDER]

Rows of four shapes (one turn; several turns with a system message; tool calls, some parallel; a preference pair) are
exported, loaded with Hugging Face ``datasets`` as a trainer would, and read back into messages. With ``--tokenizer``
(a folder with a chat template) TRL's own preparation renders what it would train on. Needs: pip install datasets trl.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from benchmarks.common import show
from synth.curation.chats import to_chat
from synth.export.exporting import export_rows
from synth.export.formats.registry import FORMATS
from synth.messages import Json

WORDS = 'order refund naïve 東京 Straße it\'s "quoted" <b>bold</b> 3/4 line\nbreak émigré 😀 tab\tend'.split(" ")
TOOLS = [{"type": "function", "function": {"name": "find", "description": "Finds.", "parameters": {"type": "object"}}}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--tokenizer", type=Path)
    options = parser.parse_args()
    rng = random.Random(0)
    rows = [make_row(rng, index) for index in range(options.rows)]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name in FORMATS:
            found.append(measure(name, rows, Path(folder)))
            if options.tokenizer and name in {"messages", "dpo"}:
                print(f"{name}: TRL prepares {prepare(Path(folder), name, options.tokenizer):,} rows")
    header = ["format", "written", "left out", "loaded", "identical back", "seconds out", "seconds in"]
    show(f"{options.rows:,} rows", header, found)


def make_row(rng: random.Random, index: int) -> Json:
    def say() -> str:
        return " ".join(rng.choices(WORDS, k=rng.randint(3, 40))).strip()

    messages: list[Json] = [{"role": "user", "content": say()}]
    row: Json = {"id": f"g-{index:06d}", "kind": "cot", "generator": "g", "seed_id": f"s{index % 50}"}
    shape = index % 4
    if shape == 1:
        messages = [{"role": "system", "content": say()}, *messages]
        for _ in range(rng.randint(1, 3)):
            messages += [{"role": "assistant", "content": say()}, {"role": "user", "content": say()}]
    if shape == 2:
        calls = [call(f"call_{n}", {"query": say(), "limit": n}) for n in range(rng.choice([1, 1, 2]))]
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        messages += [{"role": "tool", "content": say(), "tool_call_id": one["id"]} for one in calls]
        row["tools"] = TOOLS
    messages.append({"role": "assistant", "content": say()})
    if shape == 3:
        row["rejected"] = say()
    return row | {"messages": messages, "attributes": {}, "scores": {"support": 1.0}, "lineage": {"calls": [row["id"]]}}


def call(name: str, arguments: Json) -> Json:
    text = orjson.dumps(arguments).decode()
    return {"id": name, "type": "function", "function": {"name": "find", "arguments": text}}


def measure(name: str, rows: list[Json], folder: Path) -> list[str]:
    path = folder / f"{name}.{'parquet' if name == 'parquet' else 'jsonl'}"
    began = time.perf_counter()
    done = export_rows(lambda: iter(rows), name, path)
    written = time.perf_counter()
    loaded = load(path)
    ended = time.perf_counter()
    kept = [row for row in rows if carried(name, row)]
    same = sum(identical(name, row, record) for row, record in zip(kept, loaded, strict=True))
    left = sum(done.left_out.values())
    seconds = [f"{written - began:.1f}", f"{ended - written:.1f}"]
    return [name, f"{done.written:,}", f"{left:,}", f"{len(loaded):,}", f"{same:,}", *seconds]


def load(path: Path) -> Any:
    import datasets

    datasets.disable_progress_bars()
    kind = "parquet" if path.suffix == ".parquet" else "json"
    return datasets.load_dataset(kind, data_files=str(path), split="train", cache_dir=str(path.parent / "cache"))


def carried(name: str, row: Json) -> bool:
    from synth.export.formats.base import CannotCarry

    try:
        FORMATS[name](row)
    except CannotCarry:
        return False
    return True


def identical(name: str, row: Json, record: Json) -> bool:
    """Whether the record says what the row says; ids of tool calls aside where the format has no place for them."""
    if name == "dpo":
        said = [plain(message) for message in [*record["prompt"], *record["chosen"]]]
        rejected = [{"role": "assistant", "content": row["rejected"]}]
        return said == [plain(m) for m in row["messages"]] and [plain(m) for m in record["rejected"]] == rejected
    if name == "llama3":
        return str(record["text"]) == FORMATS[name](row)["text"]
    given = {key: value for key, value in record.items() if value is not None}
    if name in {"messages", "parquet"}:
        given["messages"] = [plain(message) for message in given["messages"]]
        return bool(given["messages"] == [plain(message) for message in row["messages"]])
    if isinstance(given.get("tools"), str) and name != "sharegpt":
        given["tools"] = orjson.loads(given["tools"])
    messages, _ = to_chat(given)
    return [without_ids(message.to_dict()) for message in messages] == [without_ids(m) for m in row["messages"]]


def plain(message: Json) -> Json:
    """Without the empty columns that a table has to give every row."""
    return {name: value for name, value in message.items() if value not in (None, [])}


def without_ids(message: Json) -> Json:
    kept = plain(message)
    kept.pop("tool_call_id", None)
    if "tool_calls" in kept:
        functions = [one["function"] for one in kept["tool_calls"]]
        kept["tool_calls"] = [(one["name"], orjson.loads(one["arguments"])) for one in functions]
    return kept


def prepare(folder: Path, name: str, tokenizer: Path) -> int:
    from transformers import AutoTokenizer
    from trl.data_utils import apply_chat_template, is_conversational

    loaded = load(folder / f"{name}.jsonl")
    template = AutoTokenizer.from_pretrained(tokenizer)
    prepared = 0
    for record in loaded:
        given = {key: value for key, value in record.items() if value is not None}
        for key in ("messages", "prompt", "chosen", "rejected"):
            if key in given:
                given[key] = [plain(message) for message in given[key]]
        assert is_conversational(given)
        prepared += all(apply_chat_template(given, template).values())
    return prepared


if __name__ == "__main__":
    main()
