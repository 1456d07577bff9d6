"""Prompts: Jinja templates rendered in an immutable sandbox, where a name that is not defined is an error.

A template may consist of blocks, each a message: ``{% block system %}``, then turns of an example such as
``{% block user_1 %}`` and ``{% block assistant_1 %}``, and last ``{% block user %}``; without blocks all of it is the
user's message. Small models follow an example that was a turn better than one that they are told of. Templates come
from ``prompts/<kind>/<role>.md.j2``, from a file the recipe names, or from its text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, meta, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.exceptions import SecurityError, TemplateError, UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from synth.errors import SynthError, UsageError
from synth.fingerprint import fingerprint_text
from synth.messages import Message
from synth.recipe.files import is_template_path
from synth.shipped import shipped

_BLOCK = re.compile(r"system|user|(user|assistant)_\d+")
_BLOCKS = "blocks are 'system', then turns of an example such as 'user_1' and 'assistant_1', and last 'user'"


class PromptError(SynthError):
    """A template does not compile, or cannot be rendered with what it was given. ``line`` counts from 1."""

    def __init__(self, message: str, *, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class _Sandbox(ImmutableSandboxedEnvironment):
    """Refuses numbers and texts of a size that would stop the machine; interception also keeps the compiler from
    working constants out, so that checking ``{{ 9**9**9 }}`` ends.
    """

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, int) and isinstance(right, int):
            if operator == "**" and left.bit_length() * right > 10_000:
                raise SecurityError("a number as large as this power")
        elif operator == "*":
            count, repeated = (left, right) if isinstance(left, int) else (right, left)
            if isinstance(count, int) and isinstance(repeated, Sized) and count * len(repeated) > 1_000_000:
                raise SecurityError("a text or list as long as this product")
        return super().call_binop(context, operator, left, right)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = _Sandbox(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False, autoescape=False
    )
    environment.filters["tojson"] = _to_json
    return environment


def _to_json(value: Any) -> str:
    """JSON as models write it: Jinja's own filter escapes what is special in HTML, the apostrophe too."""
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template; ``hash`` is of its source and goes into every row's lineage under ``name``."""

    name: str
    source: str
    hash: str
    _compiled: JinjaTemplate = field(repr=False, compare=False)

    def render(self, variables: Mapping[str, Any]) -> str:
        """The text, without white space around it. Raises ``PromptError``."""
        try:
            return self._compiled.render(variables).strip()
        except Exception as error:
            raise _prompt_error(self.name, error) from error

    def messages(self, variables: Mapping[str, Any]) -> tuple[Message, ...]:
        """A message for each block in the template's order, but for those that are empty. Raises ``PromptError``."""
        if "user" not in self._compiled.blocks:
            return (Message("user", self.render(variables)),)
        try:
            context = self._compiled.new_context(dict(variables))
            texts = {name: "".join(block(context)).strip() for name, block in self._compiled.blocks.items()}
        except Exception as error:
            raise _prompt_error(self.name, error) from error
        return tuple(_message(name, text) for name, text in texts.items() if text or name == "user")


def _message(block: str, text: str) -> Message:
    if block.startswith("assistant"):
        return Message("assistant", text)
    return Message("system" if block == "system" else "user", text)


def compile_template(source: str, name: str) -> Template:
    """Raises ``PromptError`` with the line of a syntax error, or of a block that is no message."""
    try:
        compiled = _environment().from_string(source)
    except TemplateSyntaxError as error:
        raise PromptError(f"template {name!r}: {error.message}", line=error.lineno) from error
    if compiled.blocks:
        try:
            _check_blocks(_environment().parse(source))
        except PromptError as error:
            raise PromptError(f"template {name!r}: {error.message}", line=error.line) from error
    return Template(name, source, fingerprint_text(source), compiled)


def _check_blocks(tree: nodes.Template) -> None:
    blocks = list(tree.find_all(nodes.Block))
    for place, block in enumerate(blocks):
        if not _BLOCK.fullmatch(block.name) or (block.name == "system" and place):
            raise PromptError(f"{block.name!r} is no block here: {_BLOCKS}", line=block.lineno)
    if blocks and blocks[-1].name != "user":
        raise PromptError(f"the last block is {blocks[-1].name!r}: {_BLOCKS}", line=blocks[-1].lineno)


def load_template(path: Path, name: str) -> Template:
    """Compile a template file. Raises ``UsageError`` when it cannot be read, ``PromptError`` when it is no template."""
    try:
        source = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"prompt template {str(path)!r} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"prompt template {str(path)!r} is not UTF-8 text") from error
    return compile_template(source, name)


def shipped_template(name: str) -> Template:
    """The template ``prompts/<name>.md.j2`` that comes with synth, for example ``cot/solver``."""
    return load_template(shipped("prompts") / f"{name}.md.j2", name)


def parse_template(source: str) -> nodes.Template:
    """The syntax tree of a template that compiles. Raises ``PromptError`` with the line where it does not."""
    try:
        _environment().compile(source)
        tree = _environment().parse(source)
        _check_blocks(tree)
        return tree
    except TemplateSyntaxError as error:
        raise PromptError(str(error.message), line=error.lineno) from error
    except (RecursionError, SyntaxError, ValueError, MemoryError) as error:  # what Python's own compiler raises
        raise PromptError("too complicated for a template") from error


def names_in(template: Template) -> frozenset[str]:
    """The names that a template takes its values from."""
    return frozenset(meta.find_undeclared_variables(_environment().parse(template.source)))


def compile_expression(source: str) -> Callable[[Mapping[str, Any]], object]:
    """A function from variables to the value of an expression such as ``scores.support < 0.5``.

    Raises ``PromptError`` where it is none; what it returns raises ``PromptError`` for a name that is not defined.
    """
    try:
        compiled = _environment().compile_expression(source, undefined_to_none=False)
    except TemplateSyntaxError as error:
        raise PromptError(str(error.message), line=error.lineno) from error

    def evaluate(variables: Mapping[str, Any]) -> object:
        try:
            value = compiled(variables)
            return bool(value) and value
        except Exception as error:
            raise _prompt_error(source, error) from error

    return evaluate


def template_from_recipe(text: str, base: Path, name: str) -> Template:
    """The template that a recipe gives as text or as a path relative to it."""
    return load_template(base / text, text) if is_template_path(text) else compile_template(text, name)


def _prompt_error(name: str, error: Exception) -> Exception:
    # A template runs the user's expressions on the user's data: whatever they raise is about the template.
    line = _line_in_template(error)
    match error:
        case UndefinedError():
            what = f"{error.message}"
        case SecurityError():
            what = f"not allowed in a template: {error.message}"
        case TemplateError():
            what = str(error.message)
        case _:
            what = f"{type(error).__name__}: {error}"
    return PromptError(f"template {name!r}: {what}", line=line)


def _line_in_template(error: Exception) -> int:
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
