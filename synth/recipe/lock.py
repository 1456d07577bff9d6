"""The recipe as a run used it, and what has changed since: what decides whether a run may be resumed.

A lock holds the recipe with every default filled in, ``${VAR}`` as it was written, and fingerprints of everything
outside the recipe that examples depend on. It holds no secrets and nothing that came from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from synth.errors import UsageError
from synth.example import Seed
from synth.fingerprint import fingerprint, sha256_file
from synth.messages import Json
from synth.recipe.files import named_files
from synth.recipe.load import LoadedRecipe, is_secret
from synth.recipe.schema import dump
from synth.recipe.yaml import KeyPath

_FREE_SECTIONS = {"budget", "cache", "mix", "output"}
_FREE_MODEL_FIELDS = {
    "api_key",
    "args",
    "base_url",
    "batch",
    "concurrency",
    "env",
    "headers",
    "limits",
    "price",
    "python",
    "timeout",
}


def _may_change(path: KeyPath) -> bool:
    """Whether a run may be resumed with another value: one that changes how far, how fast or how dear, not what."""
    match path:
        case (section, *_) if section in _FREE_SECTIONS:
            return True
        case ("models", _, field, *_):
            return field in _FREE_MODEL_FIELDS
        case ("generate", _, "count") | ("diversity", "embedder", "price"):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Lock:
    """Fingerprints are by name: ``seeds`` and ``files`` by path as the recipe has it, ``prompts`` by template,
    ``environment`` by the place in the recipe where a variable had a say. ``synth`` is the version, for information.
    """

    synth: str
    recipe: Json
    seeds: dict[str, str]
    files: dict[str, str]
    prompts: dict[str, str]
    environment: dict[str, str]

    def to_yaml(self) -> str:
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        text: str = yaml.dump(asdict(self), Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)
        return f"# The recipe as this run used it. Written by synth: edit the recipe, not this file.\n{text}"


def make_lock(loaded: LoadedRecipe, seeds: Sequence[Seed], prompts: Mapping[str, str]) -> Lock:
    """Lock a recipe with the ``seeds`` it was read with and the ``prompts`` its agents use (template name to hash)."""
    recipe = loaded.recipe
    data = dump(recipe)
    embedder = data["diversity"]["embedder"] if isinstance(data["diversity"], dict) else None
    endpoints = [*data["models"].values(), *([embedder] if isinstance(embedder, dict) else [])]
    for endpoint in endpoints:
        _remove_secrets(endpoint)
    for path, text in loaded.references.items():
        _put(data, path, text)
    for endpoint in endpoints:
        endpoint["base_url"] = _without_secrets(endpoint["base_url"])
    resolved = dump(recipe)
    files = {name: sha256_file(loaded.base / name) for name in sorted({name for _, name in named_files(recipe)})}
    return Lock(
        synth=_version(),
        recipe=data,
        seeds={recipe.seeds.path: fingerprint([[seed.id, seed.fields] for seed in seeds])} if recipe.seeds else {},
        files=files,
        prompts={name: prompts[name] for name in sorted(prompts) if name not in files},
        environment={
            _dotted(path): fingerprint(_get(resolved, path))
            for path in sorted(loaded.references, key=str)
            if not is_secret(path) and not _may_change(path)
        },
    )


def read_lock(path: Path) -> Lock:
    """Raises ``UsageError`` when the file is not a lock that this version can read."""
    try:
        data = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        lock = Lock(**data)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise _broken(path) from error
    if not all(isinstance(getattr(lock, one.name), dict) for one in fields(lock) if one.name != "synth"):
        raise _broken(path)
    return lock


def differences(old: Lock, new: Lock) -> list[str]:
    """What in ``new`` would make other examples than ``old`` did, each by its name; empty when a run may go on.

    Generators may be added at the end, and models anywhere but in front.
    """
    before, after = old.recipe, new.recipe
    changed = [*_compare_models(before.get("models", {}), after["models"])]
    changed += _compare_generators(before.get("generate", []), after["generate"])
    for name in _names(before, after):
        if name not in {"models", "generate"}:
            changed += _compare(before.get(name), after.get(name), (name,))
    if before.get("seeds") == after.get("seeds"):
        changed += _compare_hashes(old.seeds, new.seeds, "seeds (content of {})")
    changed += _compare_hashes(old.files, new.files, "content of {}")
    changed += _compare_hashes(old.prompts, new.prompts, "prompt {}")
    changed += _compare_hashes(old.environment, new.environment, "{} (what the environment gives)")
    return changed


def _compare_models(before: Json, after: Json) -> Iterator[str]:
    first_before, first_after = next(iter(before), None), next(iter(after), None)
    if first_before != first_after:
        yield f"models: the first was {first_before!r} and is {first_after!r}"
    for name, model in before.items():
        if name in after:
            yield from _compare(model, after[name], ("models", name))
        else:
            yield f"models.{name} is gone"


def _compare_generators(before: list[Json], after: list[Json]) -> Iterator[str]:
    sources = {generator.get("seeds_from") for generator in before}
    for index, generator in enumerate(before):
        if index >= len(after):
            yield f"generate.{index} ({generator.get('id')}) is gone"
        elif generator.get("id") != after[index]["id"]:
            yield f"generate.{index} was {generator.get('id')!r} and is {after[index]['id']!r}"
        else:
            yield from _compare(generator, after[index], ("generate", index))
            if generator["id"] in sources and generator.get("count") != after[index]["count"]:
                change = f"{generator.get('count')} -> {after[index]['count']}"
                yield f"generate.{index}.count: {change} (its examples are seeds of a later generator)"


def _compare(before: Any, after: Any, path: KeyPath) -> Iterator[str]:
    if _may_change(path):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        if path == ("axes",) and set(before) == set(after) and list(before) != list(after):
            yield "axes: their order"
        for name in _names(before, after):
            yield from _compare(before.get(name), after.get(name), (*path, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _compare(one, other, (*path, index))
    elif before != after:
        yield f"{_dotted(path)}: {_shown(before)} -> {_shown(after)}"


def _compare_hashes(before: dict[str, str], after: dict[str, str], words: str) -> Iterator[str]:
    # A name on one side only comes with a change of the recipe, which is reported as such.
    for name in before:
        if name in after and before[name] != after[name]:
            yield words.format(name)


def _names(before: Json, after: Json) -> list[str]:
    return [*after, *(name for name in before if name not in after)]


def _shown(value: Any) -> str:
    if value is None:
        return "unset"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


NOT_KEPT = "<not kept>"
"""Stands in a lock for a secret that the recipe itself had, instead of a ``${VAR}``."""


def _remove_secrets(endpoint: Json) -> None:
    if endpoint["api_key"] is not None:
        endpoint["api_key"] = NOT_KEPT
    for name in {"headers", "env"} & {*endpoint}:
        endpoint[name] = dict.fromkeys(endpoint[name], NOT_KEPT)


def _without_secrets(url: str | None) -> str | None:
    """A URL without user, password and query, which may hold a key beside a ``${VAR}``."""
    if url is None:
        return None
    return re.sub(r"\?.*", f"?{NOT_KEPT}", re.sub(r"//[^/@]*@", f"//{NOT_KEPT}@", url))


def _get(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


def _put(data: Any, path: KeyPath, text: str) -> None:
    _get(data, path[:-1])[path[-1]] = text


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path)


def _version() -> str:
    try:
        return version("synth")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"


def _broken(path: Path) -> UsageError:
    return UsageError(
        f"{path} is not a lock that this synth can read", hint="give another --run-dir, or remove that folder"
    )
