"""One structure: files as people have them become messages, and what cannot is said with its reason."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from synth.curation.chats import NotAChat, to_chat
from synth.curation.cleaned import Cleaned, clean_file
from synth.messages import Json
from synth.recipe.cleaning import CleanSpec

ASKED, ANSWERED = "Where is my parcel?", "It comes tomorrow."
PLAIN = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWERED}]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def clean(source: str) -> tuple[list[Json], Cleaned]:
    done = clean_file(Path(source), Path("out.jsonl"), CleanSpec(messages=True))
    return [orjson.loads(line) for line in Path("out.jsonl").read_bytes().splitlines()], done


@pytest.mark.parametrize(
    "row",
    [
        {"messages": PLAIN},
        {"messages": [{**message, "tool_calls": None, "name": None} for message in PLAIN]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ASKED}]}, PLAIN[1]]},
        {"messages": json.dumps(PLAIN)},
        {"conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": ANSWERED}]},
        {"conversation": [{"speaker": "Customer", "text": ASKED}, {"speaker": "Agent", "text": ANSWERED}]},
        {"data": [ASKED, ANSWERED]},
        {"instruction": ASKED, "input": "", "output": ANSWERED},
        {"instruction": ASKED, "context": None, "response": ANSWERED, "category": "open_qa"},
        {"prompt": ASKED, "completion": ANSWERED},
        {"prompt": PLAIN[:1], "completion": PLAIN[1:]},
        {"question": ASKED, "answer": ANSWERED},
        {"chosen": f"\n\nHuman: {ASKED}\n\nAssistant: {ANSWERED}", "rejected": "\n\nHuman: a\n\nAssistant: b"},
        {"text": f"User: {ASKED}\nBot: {ANSWERED}"},
        {"text": f"**Customer:** {ASKED}\n**Agent:** {ANSWERED}"},
        {"text": f"### Human: {ASKED}\n### Assistant: {ANSWERED}"},
    ],
)
def test_every_format_becomes_the_same_messages(row: Json) -> None:
    assert [message.to_dict() for message in to_chat(row).messages] == PLAIN


def test_an_instruction_with_input_and_history() -> None:
    row = {
        "instruction": "Translate.",
        "input": "Hund",
        "output": "dog",
        "system": "Be brief.",
        "history": [["Hi", "Hello"]],
    }
    assert [(m.role, m.content) for m in to_chat(row).messages] == [
        ("system", "Be brief."),
        ("user", "Hi"),
        ("assistant", "Hello"),
        ("user", "Translate.\n\nHund"),
        ("assistant", "dog"),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": 3, "label": "x"}, "no chat in the columns id, label"),
        ({}, "no chat in the columns of an empty row"),
        ({"messages": []}, "a chat without messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "a chat of which only the system message is left"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, "a role that is not known: 'narrator'"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "a message with images"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "a tool's result that nothing called for"),
        ({"messages": [None]}, "a message lacks what it needs"),
        ({"messages": "[{broken"}, "a tool call or result that is no JSON"),
        ({"text": "just a text"}, "a text that does not begin with 'role:'"),
        ({"instruction": "x", "output": 3}, "a message whose text is int"),
    ],
)
def test_what_is_no_chat_is_told_why(row: Json, reason: str) -> None:
    with pytest.raises(NotAChat, match=reason.replace("'", ".")):
        to_chat(row)


def test_a_csv_of_questions_and_answers_keeps_its_other_columns() -> None:
    with Path("a.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["id", "question", "answer", "topic"], ["7", ASKED, ANSWERED, "mail"], ["8", "", "", ""]]
        )
    rows, done = clean("a.csv")
    assert rows == [{"id": "7", "topic": "mail", "messages": PLAIN}]
    assert (done.tally.changed["messages"], done.kept, sum(done.tally.dropped.values())) == (1, 1, 1)


def test_a_log_of_several_chats_in_a_text_file() -> None:
    Path("a.txt").write_text(
        f"User: {ASKED}\nAgent: {ANSWERED}\n\n\nUser: Thanks!\n\nBye.\nAgent: Bye.\n---\nUser: x\nAgent: y\n"
    )
    rows, _ = clean("a.txt")
    assert rows[0] == {"messages": PLAIN}
    assert rows[1]["messages"][0]["content"] == "Thanks!\n\nBye."
    assert len(rows) == 3


def test_an_html_page_with_a_chat_and_a_text_file_with_none() -> None:
    Path("a.html").write_text(f"<html><script>x</script><p><b>User:</b> {ASKED}</p><p>Agent: {ANSWERED}</p></html>")
    assert clean("a.html")[0] == [{"messages": PLAIN}]
    Path("a.txt").write_text("a line\nagent: nobody\n")
    rows, done = clean("a.txt")
    assert (rows, done.tally.dropped) == (
        [{"messages": [{"role": "assistant", "content": "nobody"}]}],
        {"no chat: a text that does not begin with 'role:'": 1},
    )


def test_parquet_with_columns_that_are_null_in_most_rows() -> None:
    turns = [{"from": "human", "value": ASKED, "weight": None}, {"from": "gpt", "value": ANSWERED, "weight": 1}]
    rows = [
        {"conversations": turns, "system": None, "tools": None},
        {"conversations": None, "system": None, "tools": None},
    ]
    parquet.write_table(pa.Table.from_pylist(rows), "a.parquet")
    made, done = clean("a.parquet")
    assert made == [{"messages": PLAIN}]
    assert sum(done.tally.dropped.values()) == 1


SYSTEM = {"role": "system", "content": "Be brief."}
TURNS = [{"from": "human", "value": ASKED}, {"from": "gpt", "value": ANSWERED}]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"system": "Be brief.", "conversations": TURNS}, {"messages": [SYSTEM, *PLAIN]}),
        ({"system": "Be brief.", "messages": [SYSTEM, *PLAIN]}, {"messages": [SYSTEM, *PLAIN]}),
        (
            {"system": "Be kind.", "messages": [SYSTEM, *PLAIN]},
            {"system": "Be kind.", "messages": [SYSTEM, *PLAIN]},
        ),
        (
            {"messages": PLAIN, "answer": "4", "context": "src", "history": [], "prompt": "p", "text": "t"},
            {"messages": PLAIN, "answer": "4", "context": "src", "history": [], "prompt": "p", "text": "t"},
        ),
        (
            {"question": ASKED, "answer": ANSWERED, "response": "no", "input": "", "context": None, "text": "t"},
            {"messages": PLAIN, "response": "no", "text": "t"},
        ),
        ({"prompt": PLAIN[:1], "chosen": PLAIN[1:], "rejected": []}, {"messages": PLAIN, "rejected": []}),
        ({"prompt": ASKED, "chosen": ANSWERED, "rejected": "no"}, {"messages": PLAIN, "rejected": "no"}),
        ({"prompt": ASKED, "chosen": PLAIN, "rejected": "no"}, {"messages": PLAIN, "prompt": ASKED, "rejected": "no"}),
        (
            {"prompt": json.dumps([SYSTEM, PLAIN[0]]), "chosen": json.dumps(PLAIN[1:])},
            {"messages": [SYSTEM, *PLAIN]},
        ),
        ({"prompt": f"Human: {ASKED}\n\nAssistant:", "chosen": ANSWERED}, {"messages": PLAIN}),
        (
            {"prompt": "As JSON?", "chosen": '[{"a": 1}]'},
            {"messages": [{"role": "user", "content": "As JSON?"}, {"role": "assistant", "content": '[{"a": 1}]'}]},
        ),
    ],
)
def test_only_what_the_chat_was_read_from_makes_way(row: Json, expected: Json) -> None:
    Path("a.jsonl").write_bytes(orjson.dumps(row))
    assert clean("a.jsonl")[0] == [expected]


def test_code_in_a_log_is_no_turn() -> None:
    code = "Put this in:\n\n```yaml\nuser: root\nagent: none\n```"
    messages = to_chat({"text": f"User: How?\n\nBot: {code}\nUser: Thanks."}).messages
    assert [message.content for message in messages] == ["How?", code, "Thanks."]
    quoted = to_chat({"text": "User: How?\nBot: So.\n```\nuser: root\n```"}).messages
    assert quoted[1].content == "So.\n```\nuser: root\n```"


def test_messages_keep_their_names_and_weights() -> None:
    said = [{**PLAIN[0], "name": "Ann", "mood": "glad"}, {**PLAIN[1], "weight": 0}]
    Path("a.jsonl").write_bytes(orjson.dumps({"messages": said}) + b"\n")
    rows, _ = clean("a.jsonl")
    assert rows == [{"messages": [{**PLAIN[0], "name": "Ann"}, {**PLAIN[1], "weight": 0}]}]
