"""Preferences in the layouts of TRL 1.16 (``docs/source/dataset_formats``), which its trainers load as they are.

``dpo``           DPOTrainer     conversational preference: ``prompt``, ``chosen``, ``rejected``, lists of messages
``dpo_standard``  DPOTrainer     standard preference: the same as texts, of one question and one answer
``kto``           KTOTrainer     unpaired preference: ``prompt``, ``completion``, ``label``; two records a row
``reward``        RewardTrainer  preference with an implicit prompt, and ``margin``, the difference of scores

The arguments of tool calls are objects here, as TRL's formats have them and as chat templates write them; the format
``messages`` has them as OpenAI does, as JSON in a text.
"""

from __future__ import annotations

import orjson

from synth.export.formats.base import CannotCarry, text_of
from synth.messages import Json


def to_dpo(row: Json) -> Json:
    """Carries rows with a rejected side, which is a text or messages, and tool calls whose arguments are JSON objects.

    The prompt is the row's own; where it has none, everything up to the last assistant message.
    """
    prompt, chosen, rejected = _sides(row, "dpo")
    return _with_tools({"prompt": prompt, "chosen": chosen, "rejected": rejected}, row)


def to_dpo_standard(row: Json) -> Json:
    """Carries rows with one user message as the prompt and one assistant message on each side."""
    sides = _sides(row, "dpo_standard")
    if row.get("tools") or any(message.get("tool_calls") for side in sides for message in side):
        raise CannotCarry("dpo_standard has no tool calls")
    if any(len(side) != 1 for side in sides):
        raise CannotCarry("dpo_standard has one question and one answer on each side")
    prompt, chosen, rejected = (text_of(side[0]) for side in sides)
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def to_kto(row: Json) -> list[Json]:
    """Carries what ``dpo`` carries: the chosen side as desirable, the rejected one as not."""
    prompt, chosen, rejected = _sides(row, "kto")
    return [
        _with_tools({"prompt": prompt, "completion": side, "label": label}, row)
        for side, label in ((chosen, True), (rejected, False))
    ]


def to_reward(row: Json) -> Json:
    """Carries what ``dpo`` carries. ``margin`` is there where the row has scores of both sides."""
    prompt, chosen, rejected = _sides(row, "reward")
    record = _with_tools({"chosen": prompt + chosen, "rejected": prompt + rejected}, row)
    scores = [one["score"] for one in row.get("responses") or [] if isinstance(one, dict) and "score" in one]
    if len(scores) >= 2:
        record["margin"] = round(scores[0] - scores[1], 4)
    return record


def _sides(row: Json, name: str) -> tuple[list[Json], list[Json], list[Json]]:
    messages: list[Json] = row["messages"]
    rejected = row.get("rejected")
    if not rejected:
        raise CannotCarry(f"{name} needs a rejected side, and the row has none")
    if isinstance(rejected, str):
        rejected = [{"role": "assistant", "content": rejected}]
    if row.get("prompt") and row.get("chosen") and isinstance(row["chosen"], list):
        sides = row["prompt"], row["chosen"], rejected
    elif not messages or messages[-1]["role"] != "assistant" or len(messages) < 2:
        raise CannotCarry(f"{name} needs a prompt and an assistant's answer")
    else:
        sides = messages[:-1], messages[-1:], rejected
    prompt, chosen, rejected = ([_with_objects(message, name) for message in side] for side in sides)
    return prompt, chosen, rejected


def _with_objects(message: Json, name: str) -> Json:
    """The message with the arguments of its calls as objects."""
    if not message.get("tool_calls"):
        return message
    calls = []
    for call in message["tool_calls"]:
        try:
            arguments = orjson.loads(call["function"]["arguments"])
        except orjson.JSONDecodeError:
            arguments = None
        if not isinstance(arguments, dict):
            raise CannotCarry(f"{name} needs tool arguments that are a JSON object")
        calls.append(call | {"function": call["function"] | {"arguments": arguments}})
    return message | {"tool_calls": calls}


def _with_tools(record: Json, row: Json) -> Json:
    return record | ({"tools": row["tools"]} if row.get("tools") else {})
