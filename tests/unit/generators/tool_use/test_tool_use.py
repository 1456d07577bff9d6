"""The kind against scripted assistants that behave in known ways, in a small world with state."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from synth.agents.context import UnitContext
from synth.agents.simulated_user import audit_line
from synth.errors import Rejected
from synth.example import Draft, WorkUnit
from synth.generators.base import Setup
from synth.generators.tool_use.kind import ToolUse
from synth.generators.tool_use.reward import Criteria
from synth.messages import Message, StopReason, ToolCall, Usage
from synth.models.caller import CallRecord
from synth.models.client import Request, Response
from synth.recipe.kinds.tool_use import ToolUseSpec
from synth.recipe.models import ModelSpec

LIBRARY = Path(__file__).parents[2] / "environments" / "library"
Behaviour = Callable[[Request, dict[str, str]], Message]


class Cast:
    """Plays planner, user and assistant; ``behaviour`` is the assistant's, and sees what the planner was told."""

    def __init__(self, behaviour: Behaviour, *, opening: str = "Hello, I have a wish about a book.") -> None:
        self.behaviour = behaviour
        self.opening = opening
        self.facts: dict[str, str] = {}
        self.tool = ""

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        message = self._say(request, key.partition(".")[0])
        answer = Response(message, Usage(10, 5), StopReason.STOP, model)
        return CallRecord(f"{unit}/{key}", unit, model, "", request, answer, 0.0, 0.0, 1, "sent")

    def _say(self, request: Request, role: str) -> Message:
        text = request.messages[-1].content or ""
        match role:
            case "planner":
                told = re.search(r"Details: (.*)", text)
                assert told is not None
                self.facts = dict(part.split(": ", 1) for part in told[1].split("; "))
                self.tool = "lend_book" if "Lend one copy" in text else "return_book"
                goal = f"I want it done with {told[1]}."
                return Message("assistant", orjson.dumps({"goal": goal, "opening": self.opening}).decode())
            case "user":
                asked = re.findall(r"Service: What is the (.*)\?", text)
                line = f"My {asked[-1]} is {self.facts[asked[-1]]}." if asked else "I do not know."
                return Message("assistant", orjson.dumps({"say": line, "done": False}).decode())
            case _:
                return self.behaviour(request, self.facts)


def make_call(cast: Cast, facts: dict[str, str]) -> Message:
    arguments = {name.replace(" number", "_id").replace(" ", "_"): value for name, value in facts.items()}
    return Message("assistant", None, (ToolCall("c1", cast.tool, orjson.dumps(arguments).decode()),))


def asking(cast_of: Callable[[], Cast]) -> Behaviour:
    """Asks for one fact after the other, then acts."""

    def behave(request: Request, facts: dict[str, str]) -> Message:
        if request.messages[-1].role == "tool":
            return Message("assistant", "It is done.")
        asked = [m.content or "" for m in request.messages if m.role == "assistant"]
        missing = [name for name in facts if f"What is the {name}?" not in asked]
        return Message("assistant", f"What is the {missing[0]}?") if missing else make_call(cast_of(), facts)

    return behave


def acting_first(cast_of: Callable[[], Cast]) -> Behaviour:
    """Acts on what nobody told it, and asks afterwards."""

    def behave(request: Request, facts: dict[str, str]) -> Message:
        if request.messages[-1].role == "tool":
            return Message("assistant", f"What is the {next(iter(facts))}?")
        return make_call(cast_of(), facts)

    return behave


def idle(cast_of: Callable[[], Cast]) -> Behaviour:
    """Talks and does nothing."""
    return lambda request, facts: Message("assistant", "I will see to it.")


async def perform(
    tmp_path: Path,
    style: Callable[[Callable[[], Cast]], Behaviour],
    *,
    index: int = 0,
    max_turns: int = 8,
    **options: str,
) -> tuple[Draft, Cast]:
    shutil.copytree(LIBRARY, tmp_path / "library", dirs_exist_ok=True)
    cast: Cast = Cast(lambda request, facts: behaviour(request, facts), **options)
    behaviour = style(lambda: cast)
    spec = ToolUseSpec(kind="tool_use", id="t", count=1, environment="library", max_turns=max_turns)
    kind = ToolUse(Setup(spec, {"m": ModelSpec(provider="scripted")}, tmp_path), spec)
    unit = WorkUnit("t", "tool_use", index, 0, None, {}, 1000 + index)
    async with kind.opened():
        return await kind.make(UnitContext(unit, cast)), cast


@pytest.mark.parametrize("index", range(5))
async def test_an_assistant_that_asks_and_acts_is_accepted(tmp_path: Path, index: int) -> None:
    draft, cast = await perform(tmp_path, asking, index=index)
    assert draft.scores == {"reward": 1.0, "policy": 1.0, "subgoals": 1.0, "interaction": 1.0}
    assert [tool.name for tool in draft.tools] == ["find_books", "get_member", "lend_book", "return_book"]
    roles = [message.role for message in draft.messages]
    assert roles[:3] == ["system", "user", "assistant"]
    assert roles[-2:] == ["tool", "assistant"]
    opening = draft.messages[1].content or ""
    assert not any(value in opening for value in cast.facts.values())
    assert draft.extra["actions"][0]["name"] == cast.tool


async def test_acting_before_asking_scores_below_asking(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"interaction: acted on what nobody had told it \(reward 0\.70\)"):
        await perform(tmp_path, acting_first)


async def test_an_assistant_that_does_nothing_does_not_get_through(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="max_turns: not done after 3 turns"):
        await perform(tmp_path, idle, max_turns=3)


async def test_an_opening_that_gives_a_fact_away_is_no_task(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="task: the first line named the tool lend_book"):
        await perform(tmp_path, asking, opening="Please use lend_book for me.")


async def test_going_round_in_circles_ends_the_conversation(tmp_path: Path) -> None:
    def circling(cast_of: Callable[[], Cast]) -> Behaviour:
        call = ToolCall("c", "find_books", '{"text": "x"}')
        return lambda request, facts: Message("assistant", None, (call,))

    with pytest.raises(Rejected, match="loop: the same call to find_books"):
        await perform(tmp_path, circling)


async def test_two_hundred_calls_in_one_turn_end_the_conversation(tmp_path: Path) -> None:
    def flooding(cast_of: Callable[[], Cast]) -> Behaviour:
        calls = tuple(ToolCall(f"c{i}", "find_books", f'{{"text": "{i}"}}') for i in range(200))
        return lambda request, facts: Message("assistant", None, calls)

    with pytest.raises(Rejected, match="tool_calls: 200 calls in one turn"):
        await perform(tmp_path, flooding)


async def test_a_call_described_in_words_is_asked_for_again_in_a_form(tmp_path: Path) -> None:
    def describing(cast_of: Callable[[], Cast]) -> Behaviour:
        inner = asking(cast_of)

        def behave(request: Request, facts: dict[str, str]) -> Message:
            answer = inner(request, facts)
            if not answer.tool_calls:
                return answer
            call = answer.tool_calls[0]
            if request.schema is None:
                return Message("assistant", f"I would now use {call.name} for you.")
            return Message("assistant", f'{{"name": "{call.name}", "arguments": {call.arguments}}}')

        return behave

    draft, _ = await perform(tmp_path, describing)
    assert draft.scores["reward"] == 1.0


@pytest.mark.parametrize(
    ("policy", "subgoals", "interaction", "reward"),
    [
        (0.5, 0.3, 0.0, 0.21),
        (0.49, 1.0, 1.0, 0.0),
        (0.5, 0.29, 1.0, 0.0),
        (1.0, 1.0, 1.0, 1.0),
        (1.0, 1.0, 0.0, 0.7),
        (1.0, 0.3, 1.0, 0.51),
    ],
)
def test_the_rewards_truth_table(policy: float, subgoals: float, interaction: float, reward: float) -> None:
    assert Criteria(policy, subgoals, interaction).reward == pytest.approx(reward)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("It is M12345.", ""),
        ("My name is Rosa and I have 2 books.", ""),
        ("It is M99999.", "invented 99999"),
        ("Please call lend_book now.", "named the tool lend_book"),
        ("One thing. Another thing. And a third.", "said more than a sentence or two"),
        ('{"say": 1}', "wrote code instead of a sentence"),
    ],
)
def test_the_users_lines_are_audited(line: str, wrong: str) -> None:
    conversation = [Message("assistant", "You have 2 books; what is your number?")]
    assert audit_line(line, {"member_id": "M12345"}, conversation, ["lend_book"]) == wrong
