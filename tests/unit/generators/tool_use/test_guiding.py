"""What a guided call may hold: candidates that somebody has named, none of them in vain."""

from __future__ import annotations

import orjson

from synth.agents.guide import held_to
from synth.environments.vocabulary import RecordedCall, ToolResult
from synth.generators.tool_use.guiding import WorkflowGuide
from synth.generators.tool_use.workflow import Step, Workflow
from synth.messages import Message


def test_a_lookup_that_led_nowhere_is_not_made_again() -> None:
    workflow = Workflow((Step("get_product", {"product_id": "P-2"}, writes=False, needs=()),), {})
    calls: list[RecordedCall] = []
    talk = [Message("user", "hello"), Message("tool", '{"items": ["P-1", "P-2", "P-3"]}', tool_call_id="1")]
    guide = WorkflowGuide(workflow, lambda: calls)
    assert guide.next(talk).choices == {"product_id": ("P-1", "P-2", "P-3")}
    calls.append(RecordedCall("get_product", orjson.dumps({"product_id": "P-1"}).decode(), ToolResult("{}")))
    calls.append(RecordedCall("get_product", '{"product_id":"P-3"}', ToolResult("{}", error=True)))  # a fault: again
    assert guide.next(talk).choices == {"product_id": ("P-2", "P-3")}


def test_a_list_has_no_more_items_than_there_are_choices() -> None:
    ids = {"type": "array", "items": {"type": "string"}}
    assert held_to(("a", "b"), ids) == {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2}
    assert held_to(("a",), {"type": "string"}) == {"type": "string", "enum": ["a"]}
    assert held_to((), ids) == ids
