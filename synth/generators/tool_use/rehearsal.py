"""A conversation that goes well, gone through without a model: what it would ask, for ``synth plan``.

The workflow is carried out in the real environment, so the results that a model would read have their real length.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import orjson

from synth.agents.guide import Hint
from synth.environments.environment import Environment
from synth.generators.tool_use.guiding import WorkflowGuide
from synth.generators.tool_use.task import Task
from synth.messages import Message, ToolCall

Ask = Callable[[Sequence[Message], int, Hint], Awaitable[None]]
"""Ask one side for the turn that follows on these messages; the hint is what is due."""


async def rehearse(task: Task, environment: Environment, *, assistant: Ask, user: Ask) -> list[Message]:
    """Go through ``task`` as a guided assistant does, asking both sides for each of their turns; what came of it."""
    guide = WorkflowGuide(task.workflow, lambda: environment.calls)
    talk = [Message("user", task.opening)]
    for turn in range(10 * len(task.workflow.steps)):
        hint = guide.next(talk)
        await assistant(talk, turn, hint)
        if guide.step is None:
            break
        if hint.tool is not None:
            arguments = orjson.dumps(dict(guide.step.arguments)).decode()
            result = await environment.call(guide.step.tool, arguments)
            talk.append(Message("assistant", None, (ToolCall(f"call_{turn}", guide.step.tool, arguments),)))
            talk.append(Message("tool", result.content, tool_call_id=f"call_{turn}"))
            continue
        talk.append(Message("assistant", "‹what assistant says›"))
        await user(talk, turn, hint)
        told = task.workflow.facts[guide.fact].text if guide.fact else "Yes"
        talk.append(Message("user", f"{told} ‹what user says›"))
    return talk
