"""From a typed Python function to a tool: its JSON Schema, and its arguments as the types it was written with."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PydanticUserError, ValidationError, create_model

from synth.environments.authoring import ToolError
from synth.environments.docstrings import parse_docstring
from synth.environments.json_schema import plain_schema
from synth.messages import Json


class SignatureError(Exception):
    """The function cannot be a tool; ``str()`` says why."""


class Signature:
    """``name``, ``description`` and ``parameters`` are what a model sees of ``function``."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise SignatureError(f"tool {name!r} must be a plain function: no `async def`, no `yield`")
        self.name = name
        self.description, texts = parse_docstring(function)
        if not self.description:
            raise SignatureError(f"tool {name!r} has no docstring; a model knows of it only what that says")
        parameters = list(inspect.signature(function).parameters.values())
        if not parameters or parameters[0].kind not in (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        ):
            raise SignatureError(f"tool {name!r} takes no state; its first parameter is the state")
        taken = parameters[1:]
        types = _types(function, name)
        fields: dict[str, Any] = {}
        for parameter in taken:
            if parameter.kind is not inspect.Parameter.KEYWORD_ONLY and (
                parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD
            ):
                raise SignatureError(f"tool {name!r}: {str(parameter)!r} cannot be named in JSON arguments")
            if parameter.name not in types:
                raise SignatureError(f"tool {name!r}: parameter {parameter.name!r} has no type")
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[f"field_{parameter.name}"] = (
                types[parameter.name],
                Field(default, alias=parameter.name, description=texts.get(parameter.name)),
            )
        unknown = texts.keys() - {parameter.name for parameter in taken}
        if unknown:
            raise SignatureError(
                f"tool {name!r}: the docstring speaks of {sorted(unknown)[0]!r}, which is no parameter"
            )
        try:
            self._model: type[BaseModel] = create_model(
                name, __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=False), **fields
            )
            self.parameters = plain_schema(self._model.model_json_schema())
        except (PydanticUserError, NameError, TypeError) as error:
            first = str(error).splitlines()[0].partition(" Set `")[0]  # that setting is not the author's to make
            raise SignatureError(f"tool {name!r}: its types have no JSON Schema: {first}") from error
        self._names = [(parameter.name, f"field_{parameter.name}") for parameter in taken]

    def bind(self, arguments: Json) -> dict[str, Any]:
        """Keyword arguments for the function, in its own types. Raises ``ToolError``."""
        try:
            made = self._model.model_validate(arguments)
        except ValidationError as error:
            parts = [
                f"{'.'.join(str(part) for part in detail['loc'])!r}: {detail['msg']}"
                for detail in error.errors(include_url=False)
            ]
            raise ToolError("; ".join(parts[:5])) from error
        return {name: getattr(made, field) for name, field in self._names}


def _types(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise SignatureError(f"tool {name!r}: a type cannot be resolved: {error}") from error
