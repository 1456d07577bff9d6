"""Checks the JSON Schema of a step: that it is one, is of an object, refers to what is there, and can be fulfilled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from synth.messages import Json
from synth.recipe.problems import Problems, did_you_mean
from synth.recipe.yaml import KeyPath

_JSON_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")


def check_schema(at: KeyPath, schema: Json, problems: Problems) -> None:
    """Add a problem for everything that keeps a model from answering by ``schema``, which stands at ``at``."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    wanted = schema.get("type", "object")
    if wanted != "object" and wanted in _JSON_TYPES:
        problems.at(
            (*at, "type"),
            f"a step's schema describes an object, not {wanted!r}",
            "wrap it: {type: object, properties: {…}}",
        )
    named = isinstance(schema.get("$schema"), str)
    dialect = validator_for(schema, default=Draft202012Validator) if named else Draft202012Validator
    checker = dialect(dialect.META_SCHEMA, format_checker=dialect.FORMAT_CHECKER)
    fit = True
    for error in checker.iter_errors(schema):
        path, fit = (*at, *error.absolute_path), False
        if path[-1] == "type" and error.validator == "anyOf":
            kind = error.instance
            message, hint = f"JSON Schema has no type {kind!r}", did_you_mean(str(kind), _JSON_TYPES, "types")
        elif error.validator == "format":
            message, hint = f"{error.instance!r} is no {error.validator_value}", ""
        else:
            message, hint = f"not a JSON Schema: {error.message}", ""
        problems.at(path, message, hint)
    for path, reference in _references(schema, ()):
        if not reference.startswith("#"):
            fit = False
            problems.at((*at, *path), f"a schema can refer only to itself ('#/$defs/…'), not to {reference!r}")
        elif _resolve(schema, reference) is None:
            fit = False
            known = [f"#/$defs/{name}" for name in schema.get("$defs", {})]
            problems.at((*at, *path), f"{reference!r} refers to nothing", did_you_mean(reference, known, "it has"))
    if fit and (endless := _first_that_leads_back(schema)):
        fit, (path, reference) = False, endless
        problems.at((*at, *path), f"{reference!r} refers to itself with no property or item in between")
    if fit and not _Endings(schema).ends(schema, frozenset()):
        hint = "let the recursion end: leave a property out of 'required', or offer null by anyOf"
        problems.at(at, "this schema requires itself: no answer could ever be whole", hint)


class _Endings:
    """Whether a schema that refers to itself has instances that end."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._known: set[str] = set()
        """References whose schemas have such instances."""

    def ends(self, schema: Any, within: frozenset[str]) -> bool:
        """``within`` are the references that are being followed: to need one of them again would never end."""
        if not isinstance(schema, dict):
            return True
        if isinstance(reference := schema.get("$ref"), str) and reference not in self._known:
            if reference in within or not self.ends(_resolve(self._root, reference), within | {reference}):
                return False
            self._known.add(reference)
        properties, items = schema.get("properties", {}), schema.get("items", True)
        needed = [properties[name] for name in schema.get("required", ()) if name in properties]
        needed += [items] if schema.get("minItems", 0) > 0 else []
        if not all(self.ends(one, within) for one in [*needed, *schema.get("allOf", ())]):
            return False
        return all(any(self.ends(one, within) for one in schema[key]) for key in ("anyOf", "oneOf") if schema.get(key))


def _first_that_leads_back(schema: Json) -> tuple[KeyPath, str] | None:
    """The first reference for which one value would have to be checked by itself again and again."""
    references = _references(schema, ())
    return next((one for one in references if _leads_back(schema, _resolve(schema, one[1]), {one[1]})), None)


_SAME_VALUE = ("not", "if", "then", "else")
_SAME_VALUE_LISTS = ("allOf", "anyOf", "oneOf")


def _leads_back(root: Json, schema: Any, within: set[str]) -> bool:
    """Whether a value that is checked by ``schema`` is to be checked by a reference of ``within`` again."""
    if not isinstance(schema, dict):
        return False
    for key in ("$ref", "$dynamicRef"):
        reference = schema.get(key)
        if isinstance(reference, str) and (
            reference in within or _leads_back(root, _resolve(root, reference), within | {reference})
        ):
            return True
    parts = [schema[key] for key in _SAME_VALUE if key in schema]
    parts += [one for key in _SAME_VALUE_LISTS for one in schema.get(key, ())]
    return any(_leads_back(root, one, within) for one in parts)


def _resolve(schema: Json, reference: str) -> Any:
    """What ``#…`` points to in ``schema``, or None."""
    pointer = reference.removeprefix("#")
    if pointer and not pointer.startswith("/"):
        return next(
            (one for one in _objects(schema) if pointer in (one.get("$anchor"), one.get("$dynamicAnchor"))), None
        )
    found: Any = schema
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, dict) and key in found:
            found = found[key]
        else:
            return None
    return found


def _references(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key in {"$ref", "$dynamicRef"} and isinstance(item, str):
            yield (*path, key), item
        yield from _references(item, (*path, key))


def _objects(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)
