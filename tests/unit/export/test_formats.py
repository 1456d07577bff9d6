"""Every format: what it writes to the byte, what comes back from it, and what it cannot carry."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from synth.curation.chats import to_chat
from synth.export.formats.base import CannotCarry
from synth.export.formats.registry import FORMATS, records_of
from synth.messages import Json

from .rows import TEXT, TOOLS, rows

CALL: Json = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q": "x", "n": 2}'}}
TOOL_CHAT: list[Json] = [
    {"role": "user", "content": "Find x."},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "content": "[1]", "tool_call_id": "c1"},
    {"role": "assistant", "content": "It is 1."},
]


def llama3(*messages: Json, **more: Any) -> str:
    text: str = FORMATS["llama3"]({"messages": list(messages), **more})["text"]
    return text


def test_llama3_to_the_byte() -> None:
    system, user = {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}
    hello, what = {"role": "assistant", "content": "Hello!"}, {"role": "assistant", "content": "?"}
    assert llama3(system, user, hello, user, what) == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHello!<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n?<|eot_id|>"
    )  # fmt: skip


def test_llama3_calls_end_with_eom_and_results_come_from_ipython() -> None:
    assert llama3(*TOOL_CHAT) == (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nFind x.<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
        '<|python_tag|>{"type":"function","name":"find","parameters":{"q":"x","n":2}}<|eom_id|>'
        "<|start_header_id|>ipython<|end_header_id|>\n\n[1]<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nIt is 1.<|eot_id|>"
    )


def test_llama3_calls_of_built_in_tools() -> None:
    function = {"name": "brave_search", "arguments": '{"query": "the weather"}'}
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": function}]}
    assert '<|python_tag|>brave_search.call(query="the weather")<|eom_id|>' in llama3(call)


def test_llama3_describes_tools_in_the_system_message() -> None:
    text = llama3({"role": "system", "content": "Be kind."}, *TOOL_CHAT, tools=TOOLS)
    head = text.partition("<|eot_id|>")[0]
    assert head.startswith("<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nEnvironment: ipython\n\n")
    assert '{"name":"find","description":"Finds.","parameters":{"type":"object"}}\n\nBe kind.' in head
    assert text.count("<|start_header_id|>system") == 1


@given(rows())
def test_messages_of_plain_chats_come_back(row: Json) -> None:
    assume("<" not in str(row["messages"]))
    for name in ("messages", "sharegpt", "hermes"):
        back = to_chat(FORMATS[name](row)).messages
        assert [message.to_dict() for message in back] == row["messages"]


@given(rows(tools=True, most_calls=3))
def test_messages_of_chats_with_tools_come_back(row: Json) -> None:
    assume("<" not in str(row["messages"]))  # the marks of Hermes, which it cannot carry
    for name in ("messages", "sharegpt", "hermes"):
        back = to_chat(FORMATS[name](row))
        assert _without_ids([message.to_dict() for message in back.messages]) == _without_ids(row["messages"])
        assert [tool.to_dict() for tool in back.tools] == TOOLS


def _without_ids(messages: list[Json]) -> list[Json]:
    """Places of calls instead of their ids: neither ShareGPT nor Hermes has any."""
    places: dict[str, int] = {}
    return [
        message
        | {"tool_calls": [call | {"id": places.setdefault(call["id"], len(places))} for call in message["tool_calls"]]}
        if message.get("tool_calls")
        else message | ({"tool_call_id": places[message["tool_call_id"]]} if "tool_call_id" in message else {})
        for message in messages
    ]


@given(TEXT, TEXT, st.one_of(st.none(), TEXT))
def test_one_question_and_answer_come_back_from_alpaca(question: str, answer: str, system: str | None) -> None:
    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    record = FORMATS["alpaca"]({"messages": messages})
    assert set(record) == {"instruction", "input", "output", "system"}
    assert [message.to_dict() for message in to_chat(record).messages] == messages


@pytest.mark.parametrize("name", ["alpaca", "sharegpt", "hermes", "llama3", "dpo_standard"])
def test_formats_with_one_text_keep_what_was_thought(name: str) -> None:
    thought = {"role": "assistant", "content": "5", "reasoning_content": "2 + 3 = 5"}
    other = {"role": "assistant", "content": "7", "reasoning_content": "2 + 3 = 7"}
    row = {"messages": [{"role": "user", "content": "2 + 3?"}, thought], "rejected": [other]}
    (record,) = records_of(row, name)
    assert "<think>\n2 + 3 = 5\n</think>\n\n5" in str(record).replace("\\n", "\n")
    assert name != "dpo_standard" or record["rejected"] == "<think>\n2 + 3 = 7\n</think>\n\n7"


def test_dpo_has_a_prompt_and_two_sides() -> None:
    row = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "good"}], "rejected": "bad"}
    assert FORMATS["dpo"](row) == {
        "prompt": [{"role": "user", "content": "q"}],
        "chosen": [{"role": "assistant", "content": "good"}],
        "rejected": [{"role": "assistant", "content": "bad"}],
    }


def two_calls(content: str | None = None) -> list[Json]:
    second = CALL | {"id": "c2"}
    results: list[Json] = [{"role": "tool", "content": "1", "tool_call_id": name} for name in ("c1", "c2")]
    return [TOOL_CHAT[0], {"role": "assistant", "content": content, "tool_calls": [CALL, second]}, *results]


@pytest.mark.parametrize(
    ("name", "messages", "reason"),
    [
        ("alpaca", TOOL_CHAT, "alpaca has no tool calls"),
        ("alpaca", [TOOL_CHAT[0], TOOL_CHAT[3]] * 2, "alpaca has one question and one answer"),
        ("sharegpt", two_calls("Let me see."), "sharegpt has no message that both speaks and calls a tool"),
        ("sharegpt", two_calls()[:-1], "sharegpt needs a result for every tool call"),
        ("llama3", two_calls(), "llama3 has one tool call in a message"),
        ("llama3", [{"role": "user", "content": "a<|eot_id|>b"}],
         "llama3 has special tokens that stand in the row's own text"),
        ("hermes", [{"role": "user", "content": "</tool_call>"}], "hermes has marks that stand in the row's own text"),
        ("dpo", [TOOL_CHAT[0], TOOL_CHAT[3]], "dpo needs a rejected side, and the row has none"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_is_said(name: str, messages: list[Json], reason: str) -> None:
    with pytest.raises(CannotCarry) as caught:
        FORMATS[name]({"messages": messages})
    assert caught.value.message == reason


PREFERENCE: Json = {
    "messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}],
    "prompt": [{"role": "user", "content": "2 + 2?"}],
    "chosen": [{"role": "assistant", "content": "4"}],
    "rejected": [{"role": "assistant", "content": "5"}],
    "responses": [{"content": "4", "score": 0.9, "reason": ""}, {"content": "5", "score": 0.25, "reason": ""}],
}


def test_the_preference_layouts_are_those_of_trl() -> None:
    prompt, chosen, rejected = (PREFERENCE[name] for name in ("prompt", "chosen", "rejected"))
    assert FORMATS["dpo"](PREFERENCE) == {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    assert FORMATS["dpo_standard"](PREFERENCE) == {"prompt": "2 + 2?", "chosen": "4", "rejected": "5"}
    assert records_of(PREFERENCE, "kto") == [
        {"prompt": prompt, "completion": chosen, "label": True},
        {"prompt": prompt, "completion": rejected, "label": False},
    ]
    assert FORMATS["reward"](PREFERENCE) == {"chosen": prompt + chosen, "rejected": prompt + rejected, "margin": 0.65}


def test_a_rows_own_prompt_counts_where_sides_are_whole_conversations() -> None:
    longer = PREFERENCE["chosen"] + [{"role": "user", "content": "And?"}, {"role": "assistant", "content": "Done."}]
    row = PREFERENCE | {"chosen": longer, "messages": PREFERENCE["prompt"] + longer}
    assert FORMATS["dpo"](row)["chosen"] == longer
    with pytest.raises(CannotCarry, match="one question and one answer on each side"):
        FORMATS["dpo_standard"](row)


@pytest.mark.parametrize("name", ["dpo", "kto", "reward"])
def test_the_preference_layouts_have_arguments_as_objects(name: str) -> None:
    row = {"messages": TOOL_CHAT, "rejected": TOOL_CHAT[1:2], "tools": TOOLS}
    sides = [side for record in records_of(row, name) for side in record.values() if isinstance(side, list)]
    calls = [call for side in sides for message in side for call in message.get("tool_calls") or ()]
    assert calls
    assert all(call == CALL | {"function": {"name": "find", "arguments": {"q": "x", "n": 2}}} for call in calls)
    assert FORMATS["messages"](row)["messages"] == TOOL_CHAT
    for arguments in ("{q: x}", "[1]", ""):
        call = CALL | {"function": {"name": "find", "arguments": arguments}}
        with pytest.raises(CannotCarry, match=f"{name} needs tool arguments that are a JSON object"):
            records_of(row | {"rejected": [{"role": "assistant", "content": None, "tool_calls": [call]}]}, name)


def test_a_row_without_scores_has_no_margin() -> None:
    row = {name: value for name, value in PREFERENCE.items() if name != "responses"}
    assert "margin" not in FORMATS["reward"](row)
