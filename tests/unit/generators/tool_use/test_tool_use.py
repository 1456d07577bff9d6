"""The kind against scripted assistants that behave in known ways, in a small world with state."""

import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from synth.agents.assistant_lines import audit_assistant, unheard_value
from synth.agents.context import UnitContext
from synth.agents.simulated_user import _volunteered, asked_for, audit_line
from synth.agents.tool_loop import Conversation
from synth.errors import Rejected
from synth.example import Draft, WorkUnit
from synth.generators.base import Setup
from synth.generators.tool_use.choose import make_tool_use
from synth.generators.tool_use.guiding import choices_of
from synth.generators.tool_use.kind import ToolUse
from synth.generators.tool_use.reward import Criteria
from synth.generators.tool_use.verify import require_true_ending, require_withdrawal, says_no
from synth.generators.tool_use.workflow import Step, Workflow
from synth.messages import Message, StopReason, Tool, ToolCall, Usage
from synth.models.caller import CallRecord
from synth.models.client import Request, Response
from synth.recipe.kinds.tool_use import ToolUseSpec
from synth.recipe.models import ModelSpec

LIBRARY = Path(__file__).parents[2] / "environments" / "library"
PLANNER = """{% for action in actions %}{{ action.description }}
{% endfor %}{% if complaint %}An earlier try was wrong: {{ complaint }}.
{% endif %}
Details: {% for name, value in facts.items() %}{{ name }}: {{ value }}{{ "; " if not loop.last }}{% endfor %}
"""
Behaviour = Callable[[Request, dict[str, str]], Message]


class Cast:
    """Plays planner, user and assistant; ``behaviour`` is the assistant's, and sees what the planner was told."""

    def __init__(
        self,
        behaviour: Behaviour,
        *,
        opening: str = "Hello, I have a wish about a book.",
        reviews: Sequence[str] = (),
        verdicts: Sequence[str] = (),
    ) -> None:
        self.behaviour = behaviour
        self.opening = opening
        self.reviews = list(reviews)
        self.verdicts = list(verdicts)
        self.complaints: list[str] = []
        self.facts: dict[str, str] = {}
        self.tool = ""

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        message = self._say(request, key.partition(".")[0])
        answer = Response(message, Usage(10, 5), StopReason.STOP, model)
        return CallRecord(f"{unit}/{key}", unit, model, "", request, answer, 0.0, 0.0, 1, "sent")

    def _say(self, request: Request, role: str) -> Message:
        text = request.messages[-1].content or ""
        match role:
            case "reviewer":
                reason = self.reviews.pop(0)
                return Message("assistant", orjson.dumps({"reason": reason, "ok": not reason}).decode())
            case "judge":
                return Message("assistant", self.verdicts.pop(0))
            case "planner":
                self.complaints += re.findall(r"An earlier try was wrong: (.*)", text)
                told = re.search(r"Details: (.*)", text)
                assert told is not None
                self.facts = dict(part.split(": ", 1) for part in told[1].split("; "))
                self.tool = "lend_book" if "Lend one copy" in text else "return_book"
                goal = f"I want it done with {told[1]}."
                return Message("assistant", orjson.dumps({"goal": goal, "opening": self.opening}).decode())
            case "user":
                asked = re.findall(r"Service: What is the (.*)\?", text)
                if "changed your mind" in text:
                    return Message("assistant", '{"say": "I would rather not.", "done": false}')
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
    settings: dict[str, Any] | None = None,
    cast: type[Cast] = Cast,
    **options: Any,
) -> tuple[Draft, Cast]:
    shutil.copytree(LIBRARY, tmp_path / "library", dirs_exist_ok=True)
    playing: Cast = cast(lambda request, facts: behaviour(request, facts), **options)
    behaviour = style(lambda: playing)
    (tmp_path / "planner.md.j2").write_text(PLANNER)
    own = {"prompts": {"planner": "planner.md.j2"}, "max_turns": max_turns} | (settings or {})
    spec = ToolUseSpec.model_validate({"kind": "tool_use", "id": "t", "count": 1, "environment": "library", **own})
    kind = make_tool_use(Setup(spec, {"m": ModelSpec(provider="scripted")}, tmp_path), spec)
    assert isinstance(kind, ToolUse)
    unit = WorkUnit("t", "tool_use", index, 0, None, {}, 1000 + index)
    async with kind.opened():
        return await kind.make(UnitContext(unit, playing)), playing


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


async def test_every_call_of_a_conversation_has_an_id_of_its_own(tmp_path: Path) -> None:
    def searching(cast_of: Callable[[], Cast]) -> Behaviour:
        inner = asking(cast_of)
        calls = tuple(ToolCall("c1", "find_books", f'{{"text": "{text}"}}') for text in "ab")

        def behave(request: Request, facts: dict[str, str]) -> Message:
            searched = [message for message in request.messages if message.role == "tool"]
            if not searched:
                return Message("assistant", None, calls)
            if len(searched) == 2 and request.messages[-1].role == "tool":
                return Message("assistant", f"What is the {next(iter(facts))}?")
            return inner(request, facts)

        return behave

    draft, _ = await perform(tmp_path, searching)
    ids = [call.id for message in draft.messages for call in message.tool_calls]
    assert ids == ["call00000", "call00001", "call00002"]
    assert [message.tool_call_id for message in draft.messages if message.role == "tool"] == ids


@pytest.mark.parametrize(
    "arguments", ["not json", "[1]", f'{{"text": "{"x" * 300_000}"}}'], ids=["text", "list", "long"]
)
async def test_arguments_that_no_format_takes_are_asked_for_again(tmp_path: Path, arguments: str) -> None:
    def junk(cast_of: Callable[[], Cast], *, always: bool = False) -> Behaviour:
        inner = asking(cast_of)
        call = Message("assistant", None, (ToolCall("c", "find_books", arguments),))
        return lambda request, facts: call if always or "again" not in request.sample else inner(request, facts)

    draft, _ = await perform(tmp_path, junk)
    assert not any(call.name == "find_books" for message in draft.messages for call in message.tool_calls)
    with pytest.raises(Rejected, match="assistant: the assistant called find_books with what is no JSON obj") as caught:
        await perform(tmp_path, lambda cast_of: junk(cast_of, always=True))
    assert len(caught.value.reason) < 300
    assert len(caught.value.text) < 1000


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


async def test_what_a_reviewer_says_goes_back_to_the_planner(tmp_path: Path) -> None:
    settings = {"agents": {"reviewer": "m"}}
    draft, cast = await perform(tmp_path, asking, settings=settings, reviews=["it is about nothing.", ""])
    assert draft.scores["reward"] == 1.0
    assert cast.complaints == ["it is about nothing."]


async def test_a_task_that_no_wording_makes_good_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="review: no, three times no"):
        await perform(
            tmp_path, asking, settings={"agents": {"reviewer": "m"}}, reviews=["no"] * 2 + ["no, three times no"]
        )


def verdict(policy: str, subgoals: str, interaction: str) -> str:
    levels = {"policy": policy, "subgoals": subgoals, "interaction": interaction}
    return orjson.dumps(
        {name: {"reason": f"{name} is {level}", "level": level} for name, level in levels.items()}
    ).decode()


async def test_a_judge_adds_to_what_the_program_checks(tmp_path: Path) -> None:
    settings = {"agents": {"judge": "m"}}
    draft, _ = await perform(tmp_path, asking, settings=settings, verdicts=[verdict("kept", "all", "partly")])
    assert draft.scores == {"reward": 0.925, "policy": 1.0, "subgoals": 1.0, "interaction": 0.75}
    assert draft.extra["rubric"]["verdicts"][0]["levels"]["interaction"] == "partly"


async def test_a_policy_that_the_judge_sees_broken_is_worth_nothing(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"judge: policy is broken \(reward 0\.00\)"):
        await perform(tmp_path, asking, settings={"agents": {"judge": "m"}}, verdicts=[verdict("broken", "all", "yes")])


async def test_a_verdict_that_cannot_be_read_is_asked_again_and_then_counts_as_none(tmp_path: Path) -> None:
    settings = {"agents": {"judge": "m"}}
    draft, cast = await perform(tmp_path, asking, settings=settings, verdicts=["fine", "really"])
    assert cast.verdicts == []
    assert draft.scores["reward"] == 1.0
    assert draft.extra["rubric"]["verdicts"] == [{"judge": "m", "levels": None}]


async def test_a_user_who_gives_up_leaves_everything_as_it_was(tmp_path: Path) -> None:
    def patient(cast_of: Callable[[], Cast]) -> Behaviour:
        inner = asking(cast_of)

        def behave(request: Request, facts: dict[str, str]) -> Message:
            given_up = "rather not" in (request.messages[-1].content or "")
            return Message("assistant", "As you like.") if given_up else inner(request, facts)

        return behave

    draft, _ = await perform(tmp_path, patient, settings={"give_ups": 1.0})
    assert draft.extra["ending"] == "withdrawn"
    assert draft.extra["changes"] == []
    assert [message.content for message in draft.messages[-2:]] == ["I would rather not.", "As you like."]


async def test_what_the_policy_forbids_has_to_be_refused(tmp_path: Path) -> None:
    def refusing(cast_of: Callable[[], Cast]) -> Behaviour:
        """Looks the member up, and says no."""

        def behave(request: Request, facts: dict[str, str]) -> Message:
            roles = [message.role for message in request.messages]
            if "assistant" not in roles:
                return Message("assistant", "What is the member number?")
            call = ToolCall("c1", "get_member", orjson.dumps({"member_id": facts["member number"]}).decode())
            return (
                Message("assistant", "Sorry, not possible.") if "tool" in roles else Message("assistant", None, (call,))
            )

        return behave

    def curt(cast_of: Callable[[], Cast]) -> Behaviour:
        return lambda request, facts: Message("assistant", "I am sorry, that is not possible.")

    draft, _ = await perform(tmp_path, refusing, settings={"refusals": 1.0})
    assert draft.extra["ending"] == "refused"
    assert draft.scores["reward"] == 1.0
    with pytest.raises(Rejected, match="refusal: it was refused before anything was looked up"):
        await perform(tmp_path, curt, settings={"refusals": 1.0})
    with pytest.raises(Rejected, match="policy"):
        await perform(tmp_path, acting_first, settings={"refusals": 1.0})


@pytest.mark.parametrize(
    ("line", "no"),
    [
        ("I am sorry, that cannot be cancelled.", True),
        ("We don\u2019t allow that. Is there anything else?", True),
        ("I'm sorry, I could not find that order; could you check the number?", False),
        ("I could not find that order.", False),
        ("I am unable to locate it.", False),
        ("I see, but that cannot be cancelled.", True),
        ("Is that not possible for you?", False),
        ("It is done.", False),
        ("I can't lend you anything until you tell me for how many days.", False),
        ("I can't do that before you confirm it.", False),
        ("I cannot go on without your member number.", False),
        ("I can't lend you another until you return one.", True),
        ("I could not find it, so that cannot be cancelled.", True),
        ("Members may have two at most, so I won't lend you another.", True),
        ("Each may take three days at most.", True),
        ("I must decline.", True),
        ("You are not authorised to do that.", True),
        ("Our rules prohibit that.", True),
        ("That is against the rules.", True),
        ("Our policy only allows two.", True),
        ("That exceeds the limit.", True),
        ("You already have two tools.", True),
        ("It will not take long.", False),
        ("I already have your number.", False),
    ],
)
def test_a_refusal_is_told_from_a_search_without_result(line: str, no: bool) -> None:
    assert says_no(line) is no


@pytest.mark.parametrize(
    ("ending", "tool", "line", "true"),
    [
        ("done", "open_gates", "I'm sorry, I can't do that; nothing was opened.", False),
        ("done", "book_room", "I'm sorry, we have no rooms left, so nothing was booked.", False),
        ("done", "cancel_order", "Unfortunately your order could not be cancelled.", False),
        ("done", "cancel_order", "I was not able to cancel your order.", False),
        ("done", "cancelOrder", "Your order was not cancelled.", False),
        ("done", "open_gates", "All gates are open.", True),
        ("done", "open_gates", "I have opened them. Please note that this can't be undone.", True),
        ("done", "cancel_order", "Your order has been canceled. Nothing else was changed.", True),
        ("done", "cancel_order", "I couldn't find it at first, but your order has been cancelled.", True),
        ("done", "lend_book", "It is done. I can't lend you more than three.", True),
        ("done", "lend_book", "Please note: the book could not be lent again.", True),
        ("withdrawn", "lend_book", "All right, it has been done and your thing was lent.", False),
        ("withdrawn", "cancel_order", "No problem, I've cancelled it.", False),
        ("withdrawn", "pay", "The fee has been paid.", False),
        ("withdrawn", "cancel_order", "Your request has been cancelled.", True),
        ("withdrawn", "cancel_order", "No problem, your order was not cancelled.", True),
        ("withdrawn", "leave_note", "No problem, I have left everything as it was.", True),
        ("withdrawn", "lend_book", "As you like.", True),
        ("refused", "lend_book", "Nothing was lent.", True),
    ],
)
def test_the_last_line_says_what_happened(ending: str, tool: str, line: str, true: bool) -> None:
    task: Any = SimpleNamespace(ending=ending, workflow=Workflow((Step(tool, {}, True, ()),), {}))
    with nullcontext() if true else pytest.raises(Rejected, match=r"^ending: "):
        require_true_ending(task, Conversation([Message("assistant", line)]))


async def test_a_conversation_that_ends_with_what_is_not_true_is_not_kept(tmp_path: Path) -> None:
    def denying(cast_of: Callable[[], Cast]) -> Behaviour:
        inner = asking(cast_of)
        sorry = Message("assistant", "I'm sorry, I could not do that.")
        return lambda request, facts: sorry if request.messages[-1].role == "tool" else inner(request, facts)

    with pytest.raises(Rejected, match="ending: it was done, and the assistant says that it was not"):
        await perform(tmp_path, denying)


def test_a_user_who_was_to_give_up_and_did_not_makes_no_example() -> None:
    task: Any = SimpleNamespace(ending="withdrawn")
    with pytest.raises(Rejected, match="the user was to take it back, and did not") as rejected:
        require_withdrawal(task, Conversation([Message("user", "Thank you.")]), gave_up=False)
    assert rejected.value.gate == "user"
    require_withdrawal(task, Conversation([]), gave_up=True)


async def test_a_user_who_is_done_early_still_takes_it_back(tmp_path: Path) -> None:
    class Hasty(Cast):
        def _say(self, request: Request, role: str) -> Message:
            said = super()._say(request, role)
            return replace(said, content=(said.content or "").replace("false", "true")) if role == "user" else said

    def patient(cast_of: Callable[[], Cast]) -> Behaviour:
        return lambda request, facts: Message("assistant", "As you like.")

    draft, _ = await perform(tmp_path, patient, settings={"give_ups": 1.0}, cast=Hasty)
    assert [message.content for message in draft.messages[-2:]] == ["I would rather not.", "As you like."]


def test_a_user_who_tells_everything_at_once_is_caught() -> None:
    facts = {
        "e-mail": "noah@example.com",
        "order number": "W2378156",
        "reason": "ordered by mistake",
        "card": "card_4821",
    }
    conversation = [Message("assistant", "What is your e-mail?")]
    assert _volunteered("It is noah@example.com, for order W2378156.", ["e-mail"], facts, conversation) == ""
    line = "It's noah@example.com, the order is W2378156, ordered by mistake, and pay it back to card_4821."
    assert "order number, reason, card" in _volunteered(line, ["e-mail"], facts, conversation)


async def test_a_pair_shares_its_beginning_and_parts_at_a_turn_of_the_assistant(tmp_path: Path) -> None:
    """Of two solutions, one acts before it has asked for the second fact."""

    def mixed(cast_of: Callable[[], Cast]) -> Behaviour:
        inner, hasty = asking(cast_of), acting_first(cast_of)

        def behave(request: Request, facts: dict[str, str]) -> Message:
            asked = [m for m in request.messages if m.role == "assistant"]
            second = request.sample.split(".")[2] == "1"
            return hasty(request, facts) if second and len(asked) >= 1 else inner(request, facts)

        return behave

    draft, _ = await perform(tmp_path, mixed, settings={"solutions": 2, "preference": True})
    prompt, chosen, rejected = (draft.extra[name] for name in ("prompt", "chosen", "rejected"))
    messages = [message.to_dict() for message in draft.messages]
    assert prompt + chosen == messages
    (other,) = draft.extra["solutions"]
    assert prompt[1:] + rejected == other["messages"]
    assert chosen[0]["role"] == rejected[0]["role"] == "assistant"
    assert rejected[0]["tool_calls"]
    assert not chosen[0].get("tool_calls")
    assert "acted on what nobody had told it" in draft.extra["separates"]


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
        ("Your order W1 for 12.50 is cancelled.", ""),
        ("The two cost 20.00 in all.", ""),
        ("That makes 31.40 dollars.", "stated 31.40, which nobody has told it"),
        ("I will use cancel_order for that.", "named the tool cancel_order to the user"),
        ('{"name": "cancel_order"}', "wrote code to the user"),
        ("Agent: May I have your email?", "spoke to itself ('Agent:')"),
        ("Sure, here's the agent's next message.", 'spoke to itself ("agent\'s next message")'),
        ("I want it cancelled.", "repeated the user's words"),
        (" ", "said nothing"),
    ],
)
def test_the_assistants_lines_are_audited(line: str, wrong: str) -> None:
    tools = [Tool("cancel_order", "", {})]
    talk = [Message("user", "I want it cancelled."), Message("tool", '{"order_id": "W1", "prices": [12.50, 7.50]}')]
    assert audit_assistant(line, "", talk, tools) == wrong


def test_a_guided_argument_is_what_the_user_said_or_has_the_form_of_the_right_one() -> None:
    talk = [
        Message("user", "It is order W12, I no longer need it."),
        Message("tool", '{"items": {"item_007": "lamp", "item_12": "chair"}, "order_id": "W7", "card": "pay_3"}'),
    ]
    assert choices_of("W12", talk) == ("W12",)
    assert choices_of("W1", talk) == ("W7",)
    assert choices_of(["item_12"], talk) == ("item_007", "item_12")
    assert choices_of(["item_12", "W12"], talk) == ("item_007", "item_12", "W7")
    lamps = [{"item_id": "item_3", "name": "Lamp", "options": {"colour": shade}} for shade in ("red", "blue")]
    lamps[1]["item_id"] = "item_4"
    described = [*talk, Message("tool", orjson.dumps(lamps).decode()), Message("user", "The lamp, the blue one.")]
    assert choices_of(["item_4"], described) == ("item_4",)
    assert choices_of("need", talk) == ("need",)
    assert choices_of("lamp post", talk) == ()
    assert choices_of(3, talk) == ()


def test_a_guided_call_takes_only_what_was_named() -> None:
    talk = [
        Message("user", "It is order W1, for a.b@c.de."),
        Message("assistant", "Is it W9?"),
        Message("tool", '{"customer_id": "cus_7", "note": "since 2024, a friend", "name": "Rosa"}'),
    ]
    properties = {"order_id": {"type": "string"}, "reason": {"enum": ["a", "b"]}, "count": {"type": "integer"}}
    tool = Tool("cancel_order", "", {"properties": properties})
    assert unheard_value('{"order_id": "W1", "reason": "a", "count": 3}', tool, talk) == ""
    assert unheard_value('{"order_id": "W3"}', tool, talk) == "the order_id 'W3' stands nowhere in the conversation"


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Which item is it?", ["item"]),
        ("And what is the new item?", ["new item"]),
        ("Could you give me your e-mail address?", ["email"]),
        ("Where should it go, what is the address?", ["new address"]),
        ("I found order W1. What is the reason?", ["reason"]),
        ("Your order W1 will be cancelled.", []),
    ],
)
def test_what_a_line_asks_for_is_found_by_its_words(question: str, names: list[str]) -> None:
    facts = {"item": "Lamp", "new item": "red", "email": "a@b.c", "order number": "W1", "reason": "no longer needed"}
    assert asked_for(question, facts | {"new address": "Road 1, Leeds"}) == names


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
