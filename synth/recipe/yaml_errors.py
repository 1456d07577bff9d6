"""What libyaml and PyYAML say of a syntax error, in a recipe writer's words."""

from __future__ import annotations

import yaml

MAX_DEPTH = 50


def explain_yaml_error(error: yaml.MarkedYAMLError, text: str) -> tuple[str, int, int, str]:
    """Message, line and column (from 1) and hint for a syntax error in ``text``."""
    problem, context = str(error.problem or ""), str(error.context or "")
    here, start = error.problem_mark, error.context_mark
    lines = text.split("\n")
    line, column = (here.line, here.column) if here else (0, 0)
    source = lines[line] if line < len(lines) else ""

    indent = source[: len(source) - len(source.lstrip())]
    if "\t" in indent:
        message = "a tab is used for indentation, and YAML allows only spaces"
        return message, line + 1, indent.index("\t") + 1, "replace it by two spaces"
    if "nesting depth" in problem:  # libyaml from 0.2.6 on gives up by itself, after it has read far ahead
        return f"nested more than {MAX_DEPTH} levels deep", line + 1, column + 1, ""
    if "unexpected end of stream" in problem and start:
        return "the quoted text that starts here never ends", start.line + 1, start.column + 1, "add the closing quote"
    if "flow node" in context:
        return "a value is missing here, or an earlier '[' or '{' is not closed", line + 1, column + 1, ""
    if "flow" in context and start:
        close = "}" if "mapping" in context else "]"
        hint = 'inside { } and [ ], put "${VAR}" in quotes' if "${" in source else ""
        if start.line == line and source[column : column + 1] == ":":
            hint = "put a value that contains ': ' in quotes"
        opened = f"line {start.line + 1}, column {start.column + 1}"
        return (
            f"a ',' or '{close}' is missing: the '{_opposite(close)}' of {opened} is still open",
            line + 1,
            column + 1,
            hint,
        )
    if "cannot start any token" in problem:
        character = source[column : column + 1]
        return f"a value cannot start with {character!r}", line + 1, column + 1, "put the value in quotes"
    if "mapping values are not allowed" in problem:
        message = "a ': ' stands where no key can be"
        return message, line + 1, column + 1, "put a value that contains ': ' in quotes, or mend the indentation"
    if "block" in context:
        return "the indentation fits nothing above", line + 1, column + 1, "line it up with its neighbours"
    if "escape" in problem:
        return (
            f"an escape in double quotes that YAML does not know: {problem}",
            line + 1,
            column + 1,
            "use single quotes",
        )
    return f"not YAML: {problem or context}", line + 1, column + 1, ""


def _opposite(close: str) -> str:
    return "{" if close == "}" else "["
