"""Whole runs that compare meanings: a scripted model, and a real embeddings endpoint on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from synth.cli.measure import command
from synth.cli.status import command as status
from synth.cli.terminal import Terminal
from synth.errors import UsageError
from synth.job import RunResult, run
from synth.measure import measure_path
from synth.reader import RunReader
from synth.recipe.load import load_recipe
from synth.report.data_map import data_map
from synth.report.facts import collect

ANSWERS = """\
- match: 'differ clearly'
  answer: ["steered one apple", "steered two zebra", "steered three yak", "steered four xenon", "steered five wolf"]
- answer: [red ant, ant red, blue bee, bee blue, green cat, cat green, white dog, dog white]
"""
RECIPE = """\
name: t
seed: 3
models: {m: {provider: scripted, answers: answers.yaml, concurrency: 7}}
seeds: {path: seeds.jsonl}
generate:
  - id: animals
    kind: custom
    count: COUNT
    steps: [{as: animal, prompt: "{{ unit.index }} {{ seed.topic }} {{ guidance }}"}]
    output: {messages: [{role: user, content: hi}, {role: assistant, content: "{{ animal }}"}]}
diversity:
  embedder: {provider: openai, model: words, base_url: URL, api_key: "${EMBED_KEY}"}
  max_similarity: 0.95
  max_overlap: 1
  teacher_echo: ECHO
budget: {attempts: 20}
"""


class _Words(BaseHTTPRequestHandler):
    """Vectors that count words: the same words in another order have a cosine of 1."""

    asked: list[str] = []  # noqa: RUF012 - shared on purpose: one server a test
    failures = 0
    answer: Any = None

    def do_POST(self) -> None:
        body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Authorization"] == "Bearer sesame-key"
        cls = type(self)
        if cls.failures:
            cls.failures -= 1
            self._send(503, {"error": {"message": "busy"}})
            return
        cls.asked += body["input"]
        data = [{"index": n, "embedding": self._vector(text)} for n, text in enumerate(body["input"])]
        usage = {"prompt_tokens": sum(len(text.split()) for text in body["input"])}
        self._send(200, cls.answer or {"data": data[::-1], "usage": usage})

    @staticmethod
    def _vector(text: str) -> list[float]:
        vector = [0.0] * 97
        for word in text.split():
            vector[sum(n * byte for n, byte in enumerate(word.encode(), 1)) % 97] += 1.0
        return vector

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        content = orjson.dumps(answer)
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Words]]:
    monkeypatch.setenv("EMBED_KEY", "sesame-key")
    handler = type("Words", (_Words,), {"asked": []})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    handler.url = f"http://127.0.0.1:{httpd.server_port}/v1"  # type: ignore[attr-defined]
    yield handler
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def carry_out(
    folder: Path, server: type[_Words], run_dir: str, *, count: int = 4, echo: str = "false", sets: tuple[str, ...] = ()
) -> RunResult:
    (folder / "answers.yaml").write_text(ANSWERS)
    (folder / "seeds.jsonl").write_text('{"topic": "pets"}\n{"topic": "farms"}\n')
    url = server.url  # type: ignore[attr-defined]
    text = RECIPE.replace("URL", url).replace("COUNT", str(count)).replace("ECHO", echo)
    (folder / "recipe.yaml").write_text(text)
    return run(load_recipe(folder / "recipe.yaml", overrides=sets), run_dir=folder / run_dir)


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (folder / name).read_bytes().splitlines()]


def test_the_map_of_the_data_is_drawn_from_the_vectors_of_the_run(tmp_path: Path, server: type[_Words]) -> None:
    carry_out(tmp_path, server, "run", count=6)
    with RunReader(tmp_path / "run") as reader:
        facts = collect(reader)
    drawn = data_map(facts)
    assert drawn is not None
    assert "6 attempts" not in drawn[2]  # the rejected ones are on it too
    assert "alike in their meanings, by embeddings" in drawn[2]
    assert all(one.text in facts.vectors for one in facts.sample)


def test_what_means_the_same_is_rejected_by_name_and_the_next_try_is_told(tmp_path: Path, server: type[_Words]) -> None:
    result = carry_out(tmp_path, server, "run", count=6)
    assert result.ending.status == "complete"
    accepted, rejected = rows(tmp_path, "run/dataset/animals.jsonl"), rows(tmp_path, "run/rejected.jsonl")
    said = [" ".join(sorted(row["messages"][1]["content"].split())) for row in accepted]
    assert len(set(said)) == len(said) == 6
    ids = {row["id"] for row in accepted}
    assert rejected
    for row in rejected:
        assert row["gate"] == "novelty"
        assert row["score"] == 1.0
        assert row["nearest"][0] in ids
        assert row["nearest"][0] in row["reason"]
    assert any(row["messages"][1]["content"].startswith("steered") for row in accepted)


def test_the_same_dataset_at_any_concurrency(tmp_path: Path, server: type[_Words]) -> None:
    for concurrency in (1, 2, 40):
        carry_out(tmp_path, server, f"c{concurrency}", count=8, sets=(f"models.m.concurrency={concurrency}",))
    datasets = {(tmp_path / f"c{n}" / "dataset/animals.jsonl").read_bytes() for n in (1, 2, 40)}
    assert len(datasets) == 1


def test_a_resumed_run_embeds_nothing_twice_and_ends_as_a_whole_one(tmp_path: Path, server: type[_Words]) -> None:
    short = carry_out(tmp_path, server, "parts", count=8, sets=("budget.attempts=1",))
    assert short.ending.exit_code == 3
    before = list(server.asked)
    carry_out(tmp_path, server, "parts", count=8)
    assert not set(before) & set(server.asked[len(before) :])
    carry_out(tmp_path, server, "whole", count=8)
    one, other = (rows(tmp_path, f"{name}/dataset/animals.jsonl") for name in ("parts", "whole"))
    assert one == other


def test_the_teachers_echo_is_asked_once_and_kept_out(tmp_path: Path, server: type[_Words]) -> None:
    result = carry_out(tmp_path, server, "run", echo="true", count=3)
    assert result.ending.status == "complete"
    assert result.summary["calls"]["sent"] >= 3 + 2
    again = carry_out(tmp_path, server, "run", echo="true", count=5)
    assert again.ending.status == "complete"
    assert CliRunner().invoke(status, [str(tmp_path / "run")], obj=Terminal()).exit_code == 0


def test_the_key_of_the_embedder_is_in_no_file(tmp_path: Path, server: type[_Words]) -> None:
    carry_out(tmp_path, server, "run")
    for path in (tmp_path / "run").rglob("*"):
        assert path.is_dir() or b"sesame-key" not in path.read_bytes()


PRICED = ("diversity.embedder.price=1000", "models.m.price.input=0", "models.m.price.output=0")


def test_embeddings_count_as_calls_do(tmp_path: Path, server: type[_Words]) -> None:
    result = carry_out(tmp_path, server, "run", count=6, sets=PRICED)
    tokens = sum(len(text.split()) for text in server.asked)
    said = result.summary["generators"]["animals"]["tokens"]
    assert result.summary["tokens"] == {"input": said["input"] + tokens, "output": said["output"]}
    assert result.summary["cost_usd"] == pytest.approx(tokens * 1000 / 1e6)
    assert result.summary["calls"]["sent"] > result.summary["generators"]["animals"]["attempts"]
    again = carry_out(tmp_path, server, "run", count=6, sets=PRICED)
    assert again.summary["cost_usd"] == result.summary["cost_usd"]
    assert CliRunner().invoke(status, [str(tmp_path / "run")], obj=Terminal()).exit_code == 0


def test_embeddings_do_not_pass_a_budget(tmp_path: Path, server: type[_Words]) -> None:
    short = carry_out(tmp_path, server, "run", count=30, sets=(*PRICED, "budget.usd=0.07"))
    assert (short.ending.status, short.ending.exit_code) == ("short", 3)
    assert "budget.usd is spent" in short.ending.message
    assert 0 < short.summary["cost_usd"] <= 0.07
    whole = carry_out(tmp_path, server, "run", count=6, sets=(*PRICED, "budget.usd=100"))
    assert whole.ending.status == "complete"


def test_a_budget_in_usd_needs_the_embedders_price(tmp_path: Path, server: type[_Words]) -> None:
    with pytest.raises(UsageError, match=r"needs a price for diversity\.embedder"):
        carry_out(tmp_path, server, "run", sets=("budget.usd=1", *PRICED[1:]))


def test_a_busy_embedder_is_asked_again(tmp_path: Path, server: type[_Words], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.diversity.endpoint_embedder._FIRST_WAIT", 0.001)
    server.failures = 2
    assert carry_out(tmp_path, server, "run").ending.status == "complete"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"data": [{"index": 0, "embedding": [0.0, 0.0]}]}, "does not answer"),
        ({"oops": 1}, "does not answer"),
    ],
)
def test_an_embedder_that_makes_no_sense_ends_the_run_with_a_reason(
    tmp_path: Path, server: type[_Words], monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], message: str
) -> None:
    monkeypatch.setattr("synth.diversity.endpoint_embedder._FIRST_WAIT", 0.001)
    server.answer = answer
    result = carry_out(tmp_path, server, "run")
    assert (result.ending.status, result.ending.exit_code) == ("failed", 1)
    assert message in result.ending.message


def test_a_generator_that_has_run_dry_ends_early_with_the_numbers(tmp_path: Path, server: type[_Words]) -> None:
    (tmp_path / "few.yaml").write_text("- answer: [red ant, ant red, blue bee]\n")
    result = carry_out(tmp_path, server, "run", count=100, sets=("models.m.answers=few.yaml",))
    assert (result.ending.status, result.ending.exit_code) == ("short", 3)
    assert "'animals' has 2 of 100 after" in result.ending.message
    assert result.summary["generators"]["animals"]["attempts"] < 80
    again = carry_out(tmp_path, server, "run", count=100, sets=("models.m.answers=few.yaml",))
    assert again.summary["generators"]["animals"]["attempts"] == result.summary["generators"]["animals"]["attempts"]


def test_the_summary_and_synth_measure_say_how_varied_a_run_is(tmp_path: Path, server: type[_Words]) -> None:
    result = carry_out(tmp_path, server, "run", count=6, sets=("axes.mood=[calm, angry]", "axes.size=[s, m, l]"))
    measured = result.summary["diversity"]["animals"]
    assert measured["texts"] == 6
    assert 1 < measured["vendi"] <= 6
    assert measured["nearest"]["worst"] <= 0.95
    assert {t: c["share"] for t, c in measured["coverage"].items()} == {"1": 1.0, "2": 1.0}
    again = measure_path(tmp_path / "run", embedder="off")["animals"]
    assert again["coverage"] == measured["coverage"]
    done = CliRunner().invoke(command, [str(tmp_path / "run"), "--embedder", "off"], obj=Terminal())
    assert done.exit_code == 0
    assert "self-BLEU" in done.output
    assert "6/6" in done.output
    machine = CliRunner().invoke(command, [str(tmp_path / "run"), "--embedder", "off", "--json"], obj=Terminal())
    assert orjson.loads(machine.stdout) == {"animals": again}


@pytest.mark.parametrize("personas", ["{}", "{path: own.jsonl}", "{generate: 5}"])
def test_personas_reach_prompts_and_rows(tmp_path: Path, personas: str) -> None:
    (tmp_path / "own.jsonl").write_text(
        '{"description": "A cook from Lyon."}\n{"description": "A diver from Split."}\n'
    )
    (tmp_path / "answers.yaml").write_text(
        '- {schema: true, answer: [\'{"description": "A calm sailor from Hull.", "occupation": "sailor"}\','
        ' \'{"description": "A loud miner from Essen.", "occupation": "miner"}\', nonsense]}\n- rule: echo\n'
    )
    (tmp_path / "r.yaml").write_text(f"""\
name: t
seed: 4
models: {{m: {{provider: scripted, answers: answers.yaml}}}}
generate:
  - id: g
    kind: custom
    count: 6
    steps: [{{as: said, prompt: "{{{{ guidance }}}} {{{{ persona.description }}}}"}}]
    output: {{messages: [{{role: user, content: "{{{{ said }}}}"}}]}}
personas: {personas}
long_tail: {{typos: 0.5}}
diversity: off
""")
    result = run(load_recipe(tmp_path / "r.yaml"), run_dir=tmp_path / "run")
    assert result.ending.status == "complete"
    made = rows(tmp_path, "run/dataset/g.jsonl")
    assert all(
        row["messages"][0]["content"].startswith("Who writes: A")
        for row in made
        if "long_tail" not in row["attributes"]
    )
    assert len({row["attributes"]["persona"] for row in made}) > 1
