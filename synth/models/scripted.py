r"""The ``scripted`` provider: answers from a YAML file, no model. For deterministic tests of whole recipes.

The file is a list of rules; the first one whose conditions all hold answers::

    - match: 'What is (\d+) \+ (\d+)'      # a regular expression, searched in the last message
      answer: 'It is \1 plus \2.'          # \1 and \g<name> are the groups of match
    - system: 'You are a critic'           # the same, in the system message
      schema: true                         # only requests that ask (false: do not ask) for a JSON Schema
      json: {ok: true}                     # an answer that is this JSON
    - tools: true                          # only requests that offer (false: do not offer) tools
      turn: 0                              # only when so many assistant messages came before
      tool_calls: [{name: search, arguments: {query: '\1'}}]
    - match: refund
      answer: [Yes., No., Perhaps.]        # one of these, chosen by a hash of the request
      reasoning: Let me think.
      usage: {input: 100, output: 20}      # otherwise estimated
    - match: long
      answer: This is cut o
      stop: length                         # stop | length | tool_calls | content_filter
    - match: busy
      error: {kind: rate_limited, times: 2, retry_after: 1}   # the first two tries of each such request fail
      delay: 0.05                          # seconds before every answer or error
      answer: Here at last.
    - rule: echo                           # answers with the last message, or with the smallest instance of the schema

Without a file every request is echoed. A request that no rule answers ends the run: the last rule may be ``echo``.
``error.kind`` is any kind of ``TransientError``, or ``fatal``; without ``times`` the request fails every time.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from synth.errors import FatalModelError, Problem, RecipeError, TransientError, UsageError
from synth.fingerprint import derive_seed, fingerprint
from synth.messages import Json, Message, StopReason, ToolCall, Usage
from synth.models.client import Request, Response
from synth.models.tokens import MOST_TOKENS, estimate_tokens

_GROUP = re.compile(r"\\(?:(\d+)|g<(\w+)>)")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScriptedToolCall(_Part):
    name: str
    arguments: Json = {}


class ScriptedUsage(_Part):
    input: int = Field(ge=0, le=MOST_TOKENS)
    output: int = Field(ge=0, le=MOST_TOKENS)


class ScriptedError(_Part):
    kind: Literal["rate_limited", "overloaded", "timeout", "connection", "server_error", "malformed", "fatal"] = (
        "server_error"
    )
    times: int | None = Field(None, ge=1)
    retry_after: float | None = Field(None, ge=0)


class Rule(_Part):
    """One rule: conditions, then what happens. See the module's docstring."""

    rule: Literal["echo"] | None = None
    match: re.Pattern[str] | None = None
    system: re.Pattern[str] | None = None
    schema_: bool | None = Field(None, alias="schema")
    tools: bool | None = None
    turn: int | None = Field(None, ge=0)
    answer: str | list[str] | None = None
    json_: Any = Field(None, alias="json")
    tool_calls: list[ScriptedToolCall] = []
    reasoning: str | None = None
    stop: StopReason | None = None
    usage: ScriptedUsage | None = None
    error: ScriptedError | None = None
    delay: float = Field(0, ge=0)

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        given = [self.answer is not None, "json_" in self.model_fields_set, self.rule is not None]
        if sum(given) > 1:
            raise ValueError("give one of answer, json and rule")
        if not any(given) and not self.tool_calls and self.error is None:
            raise ValueError("give an answer, json, tool_calls, an error or `rule: echo`")
        if self.answer == []:
            raise ValueError("answer is an empty list")
        return self


_RULES = TypeAdapter(list[Rule])
_ECHO = Rule(rule="echo")


class ScriptedModel:
    """A model client that answers by ``rules``; ``name`` is what its responses call the model."""

    def __init__(self, rules: list[Rule], *, name: str) -> None:
        self._rules = rules
        self._name = name
        self._failures: Counter[tuple[int, str]] = Counter()

    async def complete(self, request: Request) -> Response:
        last = request.messages[-1].content or ""
        for number, rule in enumerate(self._rules):
            match = rule.match.search(last) if rule.match is not None else None
            if (rule.match is None or match is not None) and _applies(rule, request):
                if rule.delay:
                    await asyncio.sleep(rule.delay)
                if rule.error is not None:
                    self._fail(number, rule.error, request)
                return self._answer(rule, request, match)
        raise FatalModelError(
            f"no rule of the scripted model {self._name!r} answers {last[:120]!r}",
            hint="add a rule for it, or end the file with `- rule: echo`",
        )

    async def aclose(self) -> None:
        """Nothing is open."""

    def _fail(self, number: int, error: ScriptedError, request: Request) -> None:
        key = (number, request.fingerprint(""))
        self._failures[key] += 1
        if error.times is not None and self._failures[key] > error.times:
            return
        if error.kind == "fatal":
            raise FatalModelError(f"the scripted model {self._name!r} fails, as its rules say")
        raise TransientError(f"scripted: {error.kind}", kind=error.kind, retry_after=error.retry_after)

    def _answer(self, rule: Rule, request: Request, match: re.Match[str] | None) -> Response:
        calls = tuple(
            ToolCall(
                f"call_{fingerprint([request.fingerprint(''), index])[:12]}",
                call.name,
                orjson.dumps(_fill(call.arguments, match)).decode(),
            )
            for index, call in enumerate(rule.tool_calls)
        )
        content = _content(rule, request, match)
        message = Message("assistant", content, calls, None, rule.reasoning)
        stop = rule.stop or (StopReason.TOOL_CALLS if calls else StopReason.STOP)
        if rule.usage is not None:
            return Response(message, Usage(rule.usage.input, rule.usage.output), stop, self._name)
        asked = sum(estimate_tokens(said.content or "") for said in request.messages)
        told = (content or "") + "".join(call.arguments for call in calls)
        return Response(message, Usage(asked, estimate_tokens(told)), stop, self._name, usage_estimated=True)


def load_rules(path: Path) -> list[Rule]:
    """The rules in ``path``. Raises ``UsageError`` where it cannot be read and ``RecipeError`` where it is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the answers file {str(path)!r} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
        raise RecipeError([Problem(str(path), line, column, str(getattr(error, "problem", error)))]) from error
    try:
        return _RULES.validate_python(data)
    except ValidationError as error:
        problems = []
        for detail in error.errors():
            line, column = _position(node, detail["loc"])
            field = ".".join(str(part) for part in detail["loc"][1:])
            problems.append(Problem(str(path), line, column, f"{field}: {detail['msg']}" if field else detail["msg"]))
        raise RecipeError(problems) from error


def echo_rules() -> list[Rule]:
    """What answers where the recipe names no file."""
    return [_ECHO]


def _applies(rule: Rule, request: Request) -> bool:
    if rule.schema_ is not None and rule.schema_ != (request.schema is not None):
        return False
    if rule.tools is not None and rule.tools != bool(request.tools):
        return False
    if rule.turn is not None and rule.turn != sum(message.role == "assistant" for message in request.messages):
        return False
    if rule.system is None:
        return True
    return any(message.role == "system" and rule.system.search(message.content or "") for message in request.messages)


def _content(rule: Rule, request: Request, match: re.Match[str] | None) -> str | None:
    if rule.rule == "echo":
        last = request.messages[-1].content or ""
        return last if request.schema is None else orjson.dumps(smallest_instance(request.schema, last)).decode()
    if "json_" in rule.model_fields_set:
        return orjson.dumps(_fill(rule.json_, match)).decode()
    if rule.answer is None:
        return None
    options = [rule.answer] if isinstance(rule.answer, str) else rule.answer
    chosen = options[derive_seed(request.fingerprint("")) % len(options)]
    return str(_fill(chosen, match))


def _fill(value: Any, match: re.Match[str] | None) -> Any:
    """``value`` with the groups of ``match`` in every text. Other backslashes stay: answers hold LaTeX."""
    if match is None:
        return value
    if isinstance(value, str):
        return _GROUP.sub(lambda group: match[int(group[1]) if group[1] else group[2]] or "", value)
    if isinstance(value, list):
        return [_fill(item, match) for item in value]
    if isinstance(value, dict):
        return {key: _fill(item, match) for key, item in value.items()}
    return value


def smallest_instance(schema: Any, text: str) -> Any:
    """The smallest instance of the usual kinds of JSON Schema, with ``text`` where text goes."""
    if not isinstance(schema, dict):
        return None
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return smallest_instance(schema[key][0], text)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {
            name: smallest_instance(properties.get(name, {}), text) for name in schema.get("required") or properties
        }
    if kind == "array":
        return [smallest_instance(schema.get("items", {}), text) for _ in range(schema.get("minItems", 0))]
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    return {"boolean": True, "null": None}.get(kind, text[: schema.get("maxLength", len(text))])


def _position(node: yaml.Node | None, location: tuple[int | str, ...]) -> tuple[int, int]:
    """Line and column, from 1, of the deepest part of ``location`` that the file has."""
    if node is None:
        return 0, 0
    mark = node.start_mark
    for part in location:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
        elif isinstance(node, yaml.MappingNode):
            pairs = [pair for pair in node.value if pair[0].value == part]
            if not pairs:
                break
            mark = pairs[0][0].start_mark
            node = pairs[0][1]
        else:
            break
    return mark.line + 1, mark.column + 1
