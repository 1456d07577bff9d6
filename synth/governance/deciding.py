"""A policy applied to rows: what becomes of each, and the evidence for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from synth.curation.texts import all_texts, map_texts
from synth.governance.policy import SEVERITY, Action, Policy, Rule
from synth.messages import Json
from synth.prompts import PromptError
from synth.rows import text_of

REDACTED = "[redacted]"

FindPii = Callable[[Sequence[str]], list[list[tuple[str, int, int]]]]
"""For each text what personal data is in it: sort, start and end."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one row. ``action`` is the strongest of the rules that it meets, None where it meets none.

    ``row`` is what may leave: the row, redacted where a rule said so, or None where it stays.
    """

    id: str
    action: Action | None
    evidence: tuple[Json, ...]
    row: Json | None

    def to_dict(self) -> Json:
        return {"id": self.id, "action": self.action, "left": self.row is not None, "rules": list(self.evidence)}


@dataclass(slots=True)
class Record:
    """What a policy came to over all rows: actions, rules met, and rows that lack what a rule looks at."""

    policy: Policy
    rows: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    lacks: dict[str, str] = field(default_factory=dict)
    """By rule, why it could not judge the row that it could not judge last."""
    needs: set[str] = field(default_factory=set)

    def note(self, decision: Decision) -> None:
        self.rows += 1
        self.actions[decision.action or "passed"] += 1
        needs = {rule.spec.id: rule.spec.needs for rule in self.policy.rules}
        for told in decision.evidence:
            (self.met if told["met"] else self.unknown)[told["rule"]] += 1
            if told["met"]:
                self.needs.update(needs[told["rule"]])
            else:
                self.lacks[told["rule"]] = told["saw"]

    @property
    def blind(self) -> tuple[str, ...]:
        """The rules that could judge no row at all, but for those that only log: they hold nothing back."""
        guards = (rule.spec.id for rule in self.policy.rules if rule.spec.then != "log")
        return tuple(name for name in guards if self.rows and self.unknown[name] == self.rows)

    @property
    def verdict(self) -> str:
        """Never more than that the checks of this policy passed: whether that is enough, people decide."""
        if self.actions["block"]:
            return "blocked"
        held = self.actions["quarantine"] + self.actions["review"]
        told = ["checks passed", *([f"{held:,} rows held back"] if held else [])]
        told += [f"{times:,} rows could not be judged by {name}" for name, times in sorted(self.unknown.items())]
        return ", ".join(told)

    def to_dict(self) -> Json:
        return {
            "policy": self.policy.to_dict(),
            "verdict": self.verdict,
            "rows": self.rows,
            "actions": dict(self.actions),
            "rules": [
                {"id": rule.spec.id, "then": rule.spec.then, "when": rule.spec.when, "reason": rule.spec.reason}
                | {"met": self.met[rule.spec.id], "could_not_tell": self.unknown[rule.spec.id]}
                for rule in self.policy.rules
            ],
            "needs": sorted(self.needs),
        }


def decide(policy: Policy, rows: Iterable[Json], find_pii: FindPii, marks: dict[str, str]) -> Iterator[Decision]:
    """Decide each row in order. ``marks`` are people's, by row id: one to review leaves where its mark is ``good``."""
    looks = any(rule.looks_for_pii for rule in policy.rules)
    for row in rows:
        texts = all_texts(_said(row))
        once = list(dict.fromkeys(texts))
        found = dict(zip(once, find_pii(once), strict=True)) if looks else {}
        personal = [found.get(text, []) for text in texts]
        facts = row | {"text": text_of(row), "pii": sorted({sort for here in personal for sort, _, _ in here})}
        evidence, met = [], []
        for rule in policy.rules:
            told = _evidence(rule, facts)
            if told is not None:
                evidence.append(told)
                if told["met"]:
                    met.append(rule)
        action = next((action for action in SEVERITY if any(rule.spec.then == action for rule in met)), None)
        stays = action in {"block", "quarantine"} or (
            any(rule.spec.then == "review" for rule in met) and marks.get(row["id"]) != "good"
        )
        redacting = [rule for rule in met if rule.spec.then == "redact"]
        left = None if stays else _redacted(row, texts, personal, redacting) if redacting else row
        yield Decision(row["id"], action, tuple(evidence), left)


def _evidence(rule: Rule, facts: Json) -> Json | None:
    """What the rule saw, without repeating the row: numbers and names of sorts, never texts. None: it does not hold."""
    named = {"rule": rule.spec.id, "then": rule.spec.then}
    try:
        value = rule.holds(facts)
    except PromptError as error:
        return named | {"met": False, "saw": f"the row lacks {_missing(rule, error) or 'what the rule looks at'}"}
    if not value:
        return None
    if rule.looks_for_pii:
        return named | {"met": True, "saw": facts["pii"]}
    return named | {"met": True, "saw": value if isinstance(value, bool | int | float) else True}


def _missing(rule: Rule, error: PromptError) -> str | None:
    """The name that is not defined, where the rule itself has it: what comes from the row is not repeated."""
    found = re.search(r"'(\w+)'(?: is undefined)?$", error.message)
    return found[1] if found and re.search(rf"\b{found[1]}\b", rule.spec.when) else None


def _said(row: Json) -> Json:
    """The columns that are looked into for personal data, and for what a pattern matches: all but labels of the row."""
    return {name: value for name, value in row.items() if name not in _LABELS}


def _redacted(row: Json, texts: list[str], personal: list[list[tuple[str, int, int]]], rules: list[Rule]) -> Json:
    marks_pii = any(rule.looks_for_pii for rule in rules)
    written = []
    for text, found in zip(texts, personal, strict=True):
        for sort, start, end in sorted(found, key=lambda one: -one[1]) if marks_pii else ():
            text = f"{text[:start]}<{sort.upper()}>{text[end:]}"
        for rule in rules:
            if rule.pattern is not None:
                text = rule.pattern.sub(REDACTED, text)
        written.append(text)
    new = iter(written)
    said: Json = map_texts(_said(row), lambda _: next(new))
    return row | said


_LABELS = frozenset({"id", "kind", "generator", "seed_id", "tools", "attributes", "scores", "lineage"})
