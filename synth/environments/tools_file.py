"""``tools.yaml``: tools that are only declared, for a model to act out.

::

    tools:
      - name: get_forecast
        description: The weather at a place on one of the next seven days.
        parameters:
          type: object
          properties:
            place: {type: string, description: A town and its country.}
            day: {type: string, format: date}
          required: [place, day]
        output: {type: object, properties: {celsius: {type: number}, sky: {type: string}}, required: [celsius, sky]}
      - name: book_boat
        writes: true                      # it changes something: what was read before may be out of date
        ...
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, ConfigDict, Field

from synth.environments.declaration import read_declaration
from synth.environments.json_schema import make_plain
from synth.environments.vocabulary import TOOL_NAME, ToolSpec
from synth.messages import Json, Tool
from synth.recipe.problems import Problems
from synth.recipe.yaml import KeyPath

_SAYS_WHAT = {"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"}


class DeclaredTool(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=f"^{TOOL_NAME.pattern}$")
    description: str = Field(min_length=1)
    """What a model knows of the tool."""
    parameters: Json = {"type": "object", "properties": {}}
    """A JSON Schema of type object."""
    output: Json | None = None
    """A JSON Schema that every answer satisfies. Unset: any JSON."""
    writes: bool = False
    """It changes something."""


class ToolsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tools: list[DeclaredTool] = Field(min_length=1)


def load_tools(path: Path) -> tuple[ToolSpec, ...]:
    """The tools in ``path``. Raises ``RecipeError`` with everything that is wrong with them."""
    written, problems = read_declaration(path, ToolsFile)
    seen: dict[str, int] = {}
    tools = []
    for index, declared in enumerate(written.tools):
        at: KeyPath = ("tools", index)
        if declared.name in seen:
            problems.at((*at, "name"), f"two tools are named {declared.name!r}", "rename one")
        seen.setdefault(declared.name, index)
        parameters = _checked(declared.parameters, (*at, "parameters"), problems)
        if declared.parameters.get("type") != "object":
            problems.at((*at, "parameters"), f"the parameters of {declared.name!r} must have 'type: object'")
        output = None if declared.output is None else _checked(declared.output, (*at, "output"), problems)
        tool = Tool(declared.name, declared.description.strip(), closed(parameters))
        tools.append(ToolSpec(tool, declared.writes, output))
    problems.raise_if_any()
    return tuple(tools)


def closed(parameters: Json) -> Json:
    """Parameters that refuse unknown arguments unless they say otherwise: agents make up names."""
    return {"additionalProperties": False, **parameters} if "properties" in parameters else parameters


def _checked(schema: Json, at: KeyPath, problems: Problems) -> Json:
    """The schema made plain, for it will stand inside others, where its ``$defs`` are not found."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        problems.at((*at, *error.absolute_path), f"this is not JSON Schema: {error.message}")
        return schema
    _check_types(schema, at, problems)
    try:
        return make_plain(schema)
    except TypeError as error:
        problems.at(at, f"this cannot be written without $ref: {error}", "say at some depth what stands there instead")
    except KeyError as error:
        problems.at(at, f"a $ref leads to {error}, which is not under '$defs' here")
    return schema


def _check_types(schema: Any, at: KeyPath, problems: Problems) -> None:
    if not isinstance(schema, dict):
        return
    for name, inner in schema.get("properties", {}).items():
        here = (*at, "properties", name)
        if not isinstance(inner, dict) or not _SAYS_WHAT & inner.keys():
            problems.at(here, f"{name!r} has no type", "type: string, number, integer, boolean, array or object")
        _check_types(inner, here, problems)
    if "items" in schema:
        _check_types(schema["items"], (*at, "items"), problems)
