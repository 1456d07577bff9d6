"""Checks templates without rendering them: syntax, names that nothing defines, and what the sandbox would refuse."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from synth.errors import Problem
from synth.recipe.files import check_file, is_template_path
from synth.recipe.problems import Problems, locate, nearest
from synth.recipe.yaml import KeyPath

if TYPE_CHECKING:
    from jinja2 import nodes

_UNIT = ("index", "cycle", "seed")


@dataclass(frozen=True, slots=True)
class Visible:
    """What a template may name, the keys of those of these that are known, and why a name that exists is out of
    reach."""

    names: tuple[str, ...]
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    out_of_reach: Mapping[str, str] = field(default_factory=dict)
    has_seeds: bool = True


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something wrong in a template: on which of its lines, and by which word it is found there."""

    line: int
    word: str
    message: str
    hint: str = ""


def check_template(at: KeyPath, text: str, visible: Visible, base: Path, problems: Problems) -> None:
    """Check the template that stands at ``at`` in a recipe, as text or as the path of a file relative to ``base``."""
    if is_template_path(text):
        if check_file(at, text, base, "template", problems):
            check_template_file(at, base / text, problems, visible)
        return
    _add(at, None, text, complaints(text, visible), problems)


def check_seed_fields(at: KeyPath, text: str, known: Collection[str], base: Path, problems: Problems) -> None:
    """Add a problem for each field of ``seed`` that a template, as in ``check_template``, cannot do without and no seed
    has; ``known`` are those that one has."""
    from synth.prompts import parse_template

    path = base / text if is_template_path(text) else None
    source = text if path is None else path.read_text(encoding="utf-8")
    missing = seed_fields(source) - {*known}
    found = []
    for whole, name, line in _attributes(parse_template(source)):
        if whole == "seed" and name in missing:
            missing.remove(name)
            close = nearest(name, known)
            hint = f"did you mean seed.{close}?" if close else f"the seeds have {', '.join(known)}"
            hint += f" or rename a column: seeds: {{fields: {{{name}: its name}}}}"
            found.append(Complaint(line, name, f"the template uses seed.{name}, and no seed has it", hint))
    _add(at, path, source, found, problems)


def check_template_file(at: KeyPath, path: Path, problems: Problems, visible: Visible | None = None) -> None:
    """Check the template in a file that the recipe names at ``at``; without ``visible`` it may name anything."""
    try:
        source = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        problems.at(at, f"the template {str(path)!r} is not UTF-8 text")
        return
    except OSError as error:
        problems.at(at, f"the template {str(path)!r} cannot be read: {error.strerror}")
        return
    _add(at, path, source, complaints(source, visible), problems)


def _add(at: KeyPath, path: Path | None, source: str, complaints: list[Complaint], problems: Problems) -> None:
    """Add what is wrong in a template where it stands: in the file at ``path``, or at ``at`` in the recipe itself."""
    lines = source.splitlines()
    for found in complaints:
        if path is None:
            problems.at_text(at, found.line, found.word, found.message, found.hint)
        else:
            line, column = locate(lines, found.word, found.line, len(lines)) or (found.line, 1)
            problems.add(Problem(str(path), line, column, found.message, found.hint))


def complaints(source: str, visible: Visible | None) -> list[Complaint]:
    """What is wrong with a template, in the order of its lines."""

    from synth.prompts import PromptError, parse_template

    try:
        tree = parse_template(source)
    except PromptError as error:
        return [Complaint(max(error.line, 1), "", f"not a template: {error.message}")]
    found = list(_refused(tree))
    if visible is not None:
        found += [*_undefined_names(tree, visible), *_undefined_attributes(tree, visible)]
    return sorted(found, key=lambda complaint: complaint.line)


def seed_fields(source: str) -> set[str]:
    """The fields of ``seed`` that a template cannot do without: those it never asks to be defined."""
    from jinja2 import nodes

    from synth.prompts import parse_template

    tree = parse_template(source)
    guarded = {name for test in tree.find_all(nodes.Test) for name in _fields_of_seed(test)}
    for use in tree.find_all(nodes.Filter):
        if use.name in {"default", "d"}:
            guarded.update(_fields_of_seed(use))
    return {name for name in _fields_of_seed(tree) if name not in guarded and not hasattr(dict, name)}


def _fields_of_seed(tree: nodes.Node) -> set[str]:
    return {attribute for name, attribute, _ in _attributes(tree) if name == "seed"}


def _attributes(tree: nodes.Node) -> Iterator[tuple[str, str, int]]:
    """Every ``name.attribute`` and ``name["attribute"]`` with its line; the name is empty where it is no plain one."""
    from jinja2 import nodes

    for one in tree.find_all(nodes.Getattr):
        yield one.node.name if isinstance(one.node, nodes.Name) else "", one.attr, one.lineno
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.arg, nodes.Const) and isinstance(item.arg.value, str):
            yield item.node.name if isinstance(item.node, nodes.Name) else "", item.arg.value, item.lineno


def _undefined_names(tree: nodes.Template, visible: Visible) -> Iterator[Complaint]:
    from jinja2 import meta, nodes
    from jinja2.defaults import DEFAULT_NAMESPACE

    lines: dict[str, int] = {}
    for found in tree.find_all(nodes.Name):
        lines.setdefault(found.name, found.lineno)
    used = meta.find_undeclared_variables(tree)
    for name in sorted(used - {*visible.names, *DEFAULT_NAMESPACE}):
        line = lines.get(name, 1)
        if name in visible.out_of_reach:
            yield Complaint(line, name, f"the template uses {name!r} too early: {visible.out_of_reach[name]}")
        elif close := nearest(name, visible.names):
            yield Complaint(
                line, name, f"the template uses {name!r}, which nothing defines", f"did you mean {close!r}?"
            )
        else:
            hint = f"it knows {', '.join(dict.fromkeys(visible.names))}; a seed's field is written seed.{name}"
            yield Complaint(line, name, f"the template uses {name!r}, which nothing defines", hint)
    if "seed" in used and not visible.has_seeds:
        message = "the template uses 'seed', and the recipe has no seeds"
        yield Complaint(lines.get("seed", 1), "seed", message, "add seeds: {path: …}")


def _undefined_attributes(tree: nodes.Template, visible: Visible) -> Iterator[Complaint]:
    from jinja2 import nodes

    known_of = {"unit": _UNIT, **visible.keys}
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    for whole, attribute, line in _attributes(tree):
        if whole in own or whole not in known_of or attribute in known_of[whole] or hasattr(dict, attribute):
            continue
        if close := nearest(attribute, known_of[whole]):
            hint = f"did you mean {whole}.{close}?"
        else:
            nothing = "nothing: the recipe has no axes" if whole == "attributes" else "nothing"
            hint = f"{whole} has {', '.join(known_of[whole]) or nothing}"
        yield Complaint(line, attribute, f"the template uses {whole}.{attribute}, which nothing defines", hint)


def _refused(tree: nodes.Template) -> Iterator[Complaint]:
    """What compiles and then fails whenever it is rendered."""
    from jinja2 import nodes

    for _, attribute, line in _attributes(tree):
        if attribute.startswith("__"):
            yield Complaint(line, attribute, f"{attribute!r} reaches into Python, which a template must not")
    for other in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        word = (
            "extends"
            if isinstance(other, nodes.Extends)
            else "include"
            if isinstance(other, nodes.Include)
            else "import"
        )
        yield Complaint(other.lineno, word, "a template cannot include, import or extend another")
