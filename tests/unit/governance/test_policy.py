import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from synth.errors import RecipeError, UsageError
from synth.governance.deciding import Record, decide
from synth.governance.policy import Policy, load_policy
from synth.governance.releasing import release
from synth.messages import Json

RULES = """\
name: house
version: 3
rules:
  - id: personal
    when: pii
    then: redact
    needs: [purpose]
  - id: weak
    when: scores.support < 0.5
    then: review
  - id: rival
    when: "'Acme' in text"
    then: quarantine
  - id: code-word
    when: "'swordfish' in text"
    then: redact
    pattern: swordfish
  - id: long
    when: text | length > 40
    then: log
"""


def load(folder: Path, text: str) -> Policy:
    path = folder / "policy.yaml"
    path.write_text(text)
    return load_policy(path)


def row(name: str, said: str, **scores: float) -> Json:
    message = {"role": "assistant", "content": said}
    return {"id": name, "kind": "cot", "messages": [message], "attributes": {}, "scores": scores, "answer": said}


def find_emails(texts: Sequence[str]) -> list[list[tuple[str, int, int]]]:
    return [[("email", *match.span()) for match in re.finditer(r"\S+@\S+", text)] for text in texts]


def test_each_action_does_what_it_says(tmp_path: Path) -> None:
    policy = load(tmp_path, RULES)
    rows = [
        row("fine", "hello", support=1.0),
        row("mail", "ask ann@example.org now", support=1.0),
        row("weak", "hm", support=0.1),
        row("reviewed", "hm", support=0.1),
        row("rival", "buy Acme", support=1.0),
        row("secret", "say swordfish", support=1.0),
        row("long", "word " * 20, support=1.0),
        row("unknown", "no score"),
    ]
    record = Record(policy)
    found = {}
    for decision in decide(policy, rows, find_emails, {"reviewed": "good", "weak": "bad"}):
        record.note(decision)
        found[decision.id] = decision
    assert {name: decision.action for name, decision in found.items()} == {
        "fine": None,
        "mail": "redact",
        "weak": "review",
        "reviewed": "review",
        "rival": "quarantine",
        "secret": "redact",
        "long": "log",
        "unknown": None,
    }
    left = {name: decision.row for name, decision in found.items()}
    assert [name for name, kept in left.items() if kept is None] == ["weak", "rival"]
    assert left["mail"] is not None
    assert left["secret"] is not None
    assert left["mail"]["messages"][0]["content"] == "ask <EMAIL> now"
    assert "ann@" not in str(left["mail"])
    assert left["secret"]["messages"][0]["content"] == "say [redacted]"
    assert left["fine"] == rows[0]
    assert "ann@" not in str(found["mail"].to_dict())
    assert record.needs == {"purpose"}
    assert record.unknown == {"weak": 1}
    assert record.verdict == "checks passed, 3 rows held back, 1 rows could not be judged by weak"


def test_a_pattern_that_is_none_is_refused_at_its_line(tmp_path: Path) -> None:
    rules = "name: x\nversion: 1\nrules:\n  - {id: code-word, when: text, then: redact, pattern: '(['}\n"
    with pytest.raises(RecipeError, match=r":4:56: this is no regular expression: unterminated"):
        load(tmp_path, rules)


def test_nothing_leaves_without_a_purpose_or_past_a_block(tmp_path: Path) -> None:
    rows = [row("fine", "hello", support=1.0), row("rival", "buy Acme", support=1.0)]
    no_pii = RULES.replace("  - id: personal\n    when: pii\n    then: redact\n    needs: [purpose]\n", "")
    policy = load(tmp_path, no_pii.replace("then: log", "then: log\n    needs: [purpose]"))
    assert len(list(release(tmp_path, lambda: iter(rows), policy, purpose=None, marks={}).rows())) == 1
    long = [row("long", "word " * 20, support=1.0)]
    before = (tmp_path / "governance.json").read_bytes()
    with pytest.raises(UsageError, match="needs a stated purpose"):
        release(tmp_path, lambda: iter(long), policy, purpose=None, marks={})
    assert (tmp_path / "governance.json").read_bytes() == before
    assert list(release(tmp_path, lambda: iter(long), policy, purpose="to test", marks={}).rows()) == long
    blocking = load(tmp_path, no_pii.replace("then: quarantine", "then: block"))
    with pytest.raises(UsageError, match="1 rows meet a rule that blocks"):
        release(tmp_path, lambda: iter(rows), blocking, purpose="to test", marks={})
    assert b'"verdict": "blocked"' in (tmp_path / "governance.json").read_bytes()


@pytest.mark.parametrize("then", ["block", "quarantine", "review", "redact, pattern: x"])
@pytest.mark.parametrize(
    ("when", "lacks"),
    [
        ("scoress.support < 0.5", "scoress"),
        ("scores.suport < 0.5", "suport"),
        ("attributes < 0.5", "what the rule looks at"),
        ("scores[answer] < 0.5", "what the rule looks at"),
    ],
)
def test_a_rule_that_can_judge_no_row_lets_nothing_out(tmp_path: Path, when: str, lacks: str, then: str) -> None:
    policy = load(tmp_path, f"name: x\nversion: 1\nrules:\n  - {{id: a, when: '{when}', then: {then}}}\n")
    rows = [row("one", "secret", support=1.0), row("two", "hello", support=0.1)]
    with pytest.raises(UsageError, match=f"the rule 'a' could judge none of the 2 rows: the row lacks {lacks}$"):
        release(tmp_path, lambda: iter(rows), policy, purpose=None, marks={})
    assert [path.name for path in tmp_path.iterdir()] == ["policy.yaml"]


def test_a_rule_may_ask_whether_there_is_a_score(tmp_path: Path) -> None:
    when = "scores.support is defined and scores.support < 0.5"
    policy = load(tmp_path, f"name: x\nversion: 1\nrules:\n  - {{id: a, when: {when}, then: quarantine}}\n")
    rows = [row("none", "hello"), row("weak", "hello", support=0.1), row("fine", "hello", support=1.0)]
    released = release(tmp_path, lambda: iter(rows), policy, purpose=None, marks={})
    assert [one["id"] for one in released.rows()] == ["none", "fine"]
    assert released.record.verdict == "checks passed, 1 rows held back"


def with_mail(column: str, to: str) -> Json:
    """A row of both sides that says to whom to write in one ``column`` alone."""
    call = {"id": "c1", "type": "function", "function": {"name": "mail", "arguments": f'{{"to":"{to}"}}'}}
    mail: dict[str, Any] = {
        "messages": [{"role": "assistant", "content": None, "tool_calls": [call]}],
        "prompt": [{"role": "user", "content": f"write to {to}"}],
        "chosen": [{"role": "assistant", "content": "ok", "reasoning_content": f"to {to}"}],
        "rejected": [{"role": "assistant", "content": f"I wrote to {to}"}],
        "responses": [{"content": f"I wrote to {to}", "score": 0.5}],
        "answer": to,
    }
    plain = {name: [{"role": "user", "content": "hi"}] for name in mail}
    return {"id": "a-1", "lineage": {"seeds": ["ann@example.org"]}} | plain | {column: mail[column]}


@pytest.mark.parametrize("column", ["messages", "prompt", "chosen", "rejected", "responses", "answer"])
def test_personal_data_is_found_in_every_column(tmp_path: Path, column: str) -> None:
    rule = "name: p\nversion: 1\nrules:\n  - {id: q, when: pii, then: block}\n"
    row = with_mail(column, "ann@example.org")
    (blocked,) = decide(load(tmp_path, rule), [row], find_emails, {})
    assert (blocked.action, blocked.row) == ("block", None)
    (redacted,) = decide(load(tmp_path, rule.replace("block", "redact")), [row], find_emails, {})
    assert redacted.row == with_mail(column, "<EMAIL>")
    (passed,) = decide(load(tmp_path, rule), [with_mail(column, "nobody")], find_emails, {})
    assert passed.action is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("then: log", "then: loq"), r":20:11: 'then' must be .* got 'loq'"),
        (("text | length > 40", "text | length >"), r":19:11: .*"),
        (("    pattern: swordfish\n", ""), r":16:11: redact what\?"),
        (("id: long", "id: rival"), "two rules are called 'rival'"),
        (
            ("text | length > 40", "\"'Acme' in  text\""),
            r"20:11: the policy contradicts itself: for the same rows 'rival' says quarantine",
        ),
        (("name: house\n", ""), "name"),
        (("rules:", "rulez:"), "did you mean 'rules'"),
    ],
)
def test_a_policy_that_is_none(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(RecipeError) as error:
        load(tmp_path, RULES.replace(*change))
    told = "\n".join(f"{problem.where}: {problem.message} {problem.hint}" for problem in error.value.problems)
    assert re.search(message, told), told


def test_no_policy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml cannot be read"):
        load_policy(tmp_path / "none.yaml")
