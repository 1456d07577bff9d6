"""What a run is said to take beforehand, against what it then takes."""

from pathlib import Path

import pytest

from synth.errors import RecipeError
from synth.estimate import Estimate, estimate
from synth.outline import outline
from synth.prepared import Prepared, prepare
from synth.recipe.load import load_recipe

HEAD = """\
name: t
models:
  m: {provider: openai, model: some, base_url: "http://127.0.0.1:9/v1", price: {input: 1, output: 10}, concurrency: 10}
seeds: {path: seeds.jsonl}
"""
REPHRASE = "  - {kind: rephrase, count: 4, ensemble: {samples: 3, vote: 0.6}}\n"
COT = "  - {kind: cot, count: 6, ensemble: {samples: 5}}\n"
CUSTOM = """\
  - kind: custom
    count: 2
    steps:
      - {as: draft, prompt: "Say {{ seed.question }}"}
      - as: verdict
        prompt: "Judge: {{ draft }}"
        schema: {type: object, properties: {ok: {type: boolean}}, required: [ok]}
    accept: "{{ verdict.ok }}"
    output: {messages: [{role: assistant, content: "{{ draft }}"}]}
"""


def prepared(tmp_path: Path, *generators: str, head: str = HEAD) -> Prepared:
    (tmp_path / "seeds.jsonl").write_text('{"question": "How many?", "answer": "2"}\n')
    (tmp_path / "own.py").write_text(
        "class Mine:\n"
        "    def __init__(self, setup, options): pass\n"
        "    async def make(self, context): raise AssertionError('not to be called')\n"
    )
    path = tmp_path / "recipe.yaml"
    path.write_text(head + "generate:\n" + "".join(generators))
    return prepare(load_recipe(path))


async def roles(run: Prepared) -> list[str] | None:
    spec, plan, generator = run.generators[0]
    asked = await outline(spec, generator, plan.unit(0))
    return None if asked is None else [call.role for call in asked]


async def test_rephrase_asks_for_a_wording_and_for_as_many_chains_as_must_agree(tmp_path: Path) -> None:
    assert await roles(prepared(tmp_path, REPHRASE)) == ["rephraser", "solver", "solver"]


async def test_cot_asks_for_all_its_chains(tmp_path: Path) -> None:
    assert await roles(prepared(tmp_path, COT)) == ["solver"] * 5


@pytest.mark.parametrize(
    "kind",
    ["question", "evolve", "backward, form: self_verification"],
)
async def test_kinds_that_write_a_question_ask_for_it_and_for_all_that_solves_it(kind: str, tmp_path: Path) -> None:
    asked = await roles(prepared(tmp_path, f"  - {{kind: {kind}, count: 2, ensemble: {{samples: 3, programs: 2}}}}\n"))
    programs = [] if "backward" in kind else ["programmer"] * 2
    assert asked == ["writer", *["solver"] * 3, *programs]


async def test_custom_asks_every_step_and_shows_where_an_answer_goes(tmp_path: Path) -> None:
    run = prepared(tmp_path, CUSTOM)
    assert await roles(run) == ["draft", "verdict"]
    first = (await estimate(run)).generators[0].first
    assert first[1].request.messages[-1].content == "Judge: ‹what draft says›"


async def test_a_users_own_python_is_not_run(tmp_path: Path) -> None:
    run = prepared(tmp_path, "  - {kind: 'own:Mine', count: 3}\n", COT)
    assert await roles(run) is None
    told = await estimate(run)
    assert told.generators[0].amounts is None
    assert told.amounts == told.generators[1].amounts


async def test_amounts_add_up(tmp_path: Path) -> None:
    told: Estimate = await estimate(prepared(tmp_path, REPHRASE, COT, CUSTOM))
    assert told.amounts.calls == 4 * 3 + 6 * 5 + 2 * 2
    usage = told.amounts.usage
    assert usage.output == 4 * (300 + 2 * 400) // 4 + 6 * 5 * 512 // 4 + 2 * 2 * 1024 // 4
    assert told.amounts.cost_usd == pytest.approx((usage.input + 10 * usage.output) / 1e6)
    assert told.amounts.seconds == pytest.approx(usage.output / (60 * 10), abs=0.1)
    assert told.to_dict()["generators"]["cot"]["calls"] == 30


async def test_an_answer_that_goes_on_into_the_next_prompt_is_counted_there(tmp_path: Path) -> None:
    told = await estimate(prepared(tmp_path, CUSTOM))
    assert told.amounts.usage.input > 2 * 1024 // 4


async def test_without_a_price_the_cost_is_unknown(tmp_path: Path) -> None:
    head = HEAD.replace("price: {input: 1, output: 10}, ", "")
    assert (await estimate(prepared(tmp_path, COT, head=head))).amounts.cost_usd is None


async def test_limits_of_an_endpoint_make_it_slower(tmp_path: Path) -> None:
    head = HEAD.replace("concurrency: 10", "limits: {rpm: 3}")
    assert (await estimate(prepared(tmp_path, COT, head=head))).amounts.seconds == 600


async def test_what_is_asked_before_the_first_attempt_counts(tmp_path: Path) -> None:
    plain = (await estimate(prepared(tmp_path, REPHRASE, COT))).amounts
    head = HEAD + "personas: {generate: 30}\n"
    written = await estimate(prepared(tmp_path, COT, REPHRASE, head=head))
    assert written.amounts.calls == plain.calls + 30
    assert written.amounts.usage.output == plain.usage.output + 30 * 300 // 4
    assert [one.amounts.calls for one in written.generators if one.amounts] == [6 * 5, 4 * 3 + 30]
    head = HEAD + "diversity: {teacher_echo: true}\n"  # one seed, so one echo, in which equal chains are one call
    assert (await estimate(prepared(tmp_path, REPHRASE, COT, head=head))).amounts.calls == plain.calls + 2 + 1


async def test_tools_that_cannot_be_used_are_no_estimate_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "envs" / "desk").mkdir(parents=True)
    (tmp_path / "envs" / "desk" / "env.yaml").write_text("name: desk\ndescription: A desk.\n")
    (tmp_path / "envs" / "desk" / "tools.py").write_text("def x(:\n")
    run = prepared(tmp_path, "  - {kind: tool_use, environment: desk, count: 1}\n", head=HEAD.partition("seeds:")[0])
    with pytest.raises(RecipeError, match="it is not valid Python"):
        await estimate(run)
