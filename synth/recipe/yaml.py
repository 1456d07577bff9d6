"""YAML text to plain data, knowing where every key and value stands.

Scalars are read by the core schema of YAML 1.2: ``yes``, ``no``, ``12:30`` and dates are text, so a value means what an
editor that checks it against the JSON Schema thinks it means. Merge keys (``<<: *defaults``) work. The parser's events
are read one at a time under limits, so a hostile file costs milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from synth.messages import Json
from synth.recipe.yaml_errors import MAX_DEPTH, explain_yaml_error

MAX_BYTES = 1 << 20
MAX_NODES = 50_000

_NOT_YAML = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")

KeyPath = tuple[str | int, ...]
"""Where a value is in a document: keys and list indices from the top."""


class Span(NamedTuple):
    """Where something stands in a text: its first line and column and its last line, all from 1.

    ``block`` marks text that starts on the line below its ``|`` or ``>``.
    """

    line: int
    column: int
    end_line: int
    block: bool = False


class YamlProblem(Exception):
    """Something in the text that is no YAML, or none for a recipe; ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, line: int, column: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (mappings with text keys, lists, text, numbers, booleans, None) and where its parts stand.

    ``problems`` are those that leave the rest readable: a key given twice, a key that is no text, an unknown tag.
    """

    data: Json
    keys: dict[KeyPath, Span]
    values: dict[KeyPath, Span]
    problems: tuple[YamlProblem, ...]


def parse_yaml(text: str) -> Document:
    """Read one document whose top level is a mapping. Raises ``YamlProblem`` for what makes the rest unreadable."""
    root = _compose(text)
    reader = _Reader()
    data = reader.read(root, (), 0) if root is not None else None
    if root is None or data is None:
        raise YamlProblem("the file is empty", 0, 0)
    if not isinstance(data, dict):
        what = "a list" if isinstance(data, list) else "a single value"
        raise _problem(root.event, f"the file must be a mapping (key: value), and this is {what}")
    return Document(data, reader.keys, reader.values, tuple(reader.problems))


def parse_value(text: str) -> Any:
    """Read one value as YAML, as ``--set`` gives it. Raises ``YamlProblem``."""
    root = _compose(text)
    if root is None:
        return None
    reader = _Reader()
    value = reader.read(root, (), 0)
    if reader.problems:
        raise reader.problems[0]
    return value


@dataclass(slots=True)
class _Node:
    span: Span
    event: ScalarEvent | CollectionStartEvent
    children: list[_Node] = field(default_factory=list)  # of a mapping: key, value, key, value, ...


def _events(text: str) -> Iterator[Event]:
    if bad := _NOT_YAML.search(text):
        before = text[: bad.start()]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise YamlProblem(f"the character U+{ord(bad[0]):04X} is not allowed in YAML", line, column)
    try:
        yield from yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise YamlProblem(*explain_yaml_error(error, text)) from error
    except yaml.YAMLError as error:
        raise YamlProblem(f"not YAML: {error}", 0, 0) from error


def _compose(text: str) -> _Node | None:
    """The document's tree, where an alias is the very node it names; None where there is no document."""
    root: _Node | None = None
    open_nodes: list[_Node] = []
    anchors: dict[str, _Node] = {}
    documents = count = 0
    for event in _events(text):
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _problem(
                    event, "a second YAML document starts here; a recipe is one document", "remove the '---'"
                )
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            node = open_nodes.pop()
            node.span = _span(node.event, event)
        elif isinstance(event, NodeEvent):
            count += 1
            if count > MAX_NODES:
                raise _problem(event, f"more than {MAX_NODES:,} values: this is no recipe")
            node = _node(event, anchors, open_nodes)
            if open_nodes:
                open_nodes[-1].children.append(node)
            elif root is None:
                root = node
            if isinstance(event, CollectionStartEvent):
                open_nodes.append(node)
                if len(open_nodes) > MAX_DEPTH:
                    raise _problem(event, f"nested more than {MAX_DEPTH} levels deep")
    return root


def _node(event: NodeEvent, anchors: dict[str, _Node], open_nodes: list[_Node]) -> _Node:
    if isinstance(event, AliasEvent):
        target = anchors.get(event.anchor or "")
        if target is None:
            raise _problem(event, f"the alias '*{event.anchor}' names nothing: no '&{event.anchor}' stands before it")
        if any(node is target for node in open_nodes):
            raise _problem(event, f"the alias '*{event.anchor}' stands inside what it names, so it would never end")
        return target
    assert isinstance(event, ScalarEvent | CollectionStartEvent)
    node = _Node(_span(event, event), event)
    if event.anchor is not None:
        anchors[event.anchor] = node
    return node


class _Reader:
    """Turns nodes into data, expanding aliases under a limit, and remembers where everything stands."""

    def __init__(self) -> None:
        self.problems: list[YamlProblem] = []
        self.keys: dict[KeyPath, Span] = {}
        self.values: dict[KeyPath, Span] = {}
        self._count = 0

    def read(self, node: _Node, path: KeyPath, depth: int) -> Any:
        self._spend(node, depth)
        self.values[path] = node.span
        if isinstance(node.event, ScalarEvent):
            return self._scalar(node.event)
        if isinstance(node.event, MappingStartEvent):
            result: Json = {}
            for key, (key_node, value_node) in self._pairs(node, depth).items():
                self.keys[*path, key] = key_node.span
                result[key] = self.read(value_node, (*path, key), depth + 1)
            return result
        self._check_tag(node.event, "seq")
        return [self.read(child, (*path, index), depth + 1) for index, child in enumerate(node.children)]

    def _spend(self, node: _Node, depth: int) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            raise _problem(node.event, f"the aliases expand to more than {MAX_NODES:,} values: this is no recipe")
        if depth > MAX_DEPTH:
            raise _problem(node.event, f"nested more than {MAX_DEPTH} levels deep")

    def _pairs(self, node: _Node, depth: int) -> dict[str, tuple[_Node, _Node]]:
        """A mapping's key and value nodes; what ``<<`` merges in comes last and yields to keys of the mapping's own."""
        self._spend(node, depth)
        self._check_tag(node.event, "map")
        pairs: dict[str, tuple[_Node, _Node]] = {}
        merged: list[_Node] = []
        for key_node, value_node in zip(node.children[::2], node.children[1::2], strict=True):
            key = self._key(key_node)
            if key == "<<" and isinstance(key_node.event, ScalarEvent) and not key_node.event.style:
                merged += [value_node] if isinstance(value_node.event, MappingStartEvent) else value_node.children
            elif key in pairs:
                first = pairs[key][0].span.line
                self._report(key_node.event, f"the key {key!r} is given twice: first on line {first}")
            elif key is not None:
                pairs[key] = (key_node, value_node)
        for source in merged:
            if isinstance(source.event, MappingStartEvent):
                pairs = pairs | {key: pair for key, pair in self._pairs(source, depth + 1).items() if key not in pairs}
            else:
                self._report(source.event, "'<<' merges mappings: it needs an alias of one, such as '<<: *defaults'")
        return pairs

    def _key(self, node: _Node) -> str | None:
        if isinstance(node.event, CollectionStartEvent):
            hint = 'text that starts with {{ must be in quotes: "{{ … }}"' if node.event.flow_style else ""
            self._report(node.event, "a key must be text, not a mapping or a list", hint)
            return None
        # A key such as 1 or null is the text that was written: there are no other keys in JSON either.
        return str(node.event.value)

    def _scalar(self, event: ScalarEvent) -> Any:
        text: str = event.value
        kind = (event.tag or "").removeprefix(_TAGS)
        if kind in {"", "!"}:
            kind = "str" if kind or event.style else _implicit_kind(text)
        try:
            return _READ[kind](text)
        except KeyError:
            self._check_tag(event, "str")
        except (ValueError, OverflowError):
            self._report(event, f"{_shorten(text)} is not a number that can be used here")
        return text

    def _check_tag(self, event: ScalarEvent | CollectionStartEvent, expected: str) -> None:
        if event.tag not in {None, "!", _TAGS + expected}:
            name = event.tag.replace(_TAGS, "!!")
            self._report(event, f"the tag {name!r} is not allowed in a recipe: it is data only", "remove the tag")

    def _report(self, event: NodeEvent, message: str, hint: str = "") -> None:
        self.problems.append(_problem(event, message, hint))


_TAGS = "tag:yaml.org,2002:"
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def _implicit_kind(text: str) -> str:
    if text in _NULL:
        return "null"
    if text in _BOOL:
        return "bool"
    if _INT.fullmatch(text):
        return "int"
    return "float" if _FLOAT.fullmatch(text) else "str"


def _read_int(text: str) -> int:
    if len(text) > 25:
        raise OverflowError
    number = int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if not -(2**63) <= number < 2**64:  # what JSON writers agree on
        raise OverflowError
    return number


def _read_float(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")} or number != number:
        raise OverflowError
    return number


def _read_bool(text: str) -> bool:
    if text not in _BOOL:
        raise ValueError
    return _BOOL[text]


_READ: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": _read_int,
    "float": _read_float,
    "bool": _read_bool,
    "null": lambda _: None,
}


def _span(start: Event, end: Event) -> Span:
    (line, column), (end_line, end_column) = _place(start.start_mark), _place(end.end_mark)
    block = isinstance(start, ScalarEvent) and start.style in {"|", ">"}
    return Span(line, column, end_line - 1 if end_column == 1 and end_line > line else end_line, block)


def _place(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _problem(event: Event, message: str, hint: str = "") -> YamlProblem:
    return YamlProblem(message, *_place(event.start_mark), hint)


def _shorten(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}…"
