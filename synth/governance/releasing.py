"""The door of a run folder: what a policy lets out, the record of it, and who took what."""

from __future__ import annotations

import errno
import getpass
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from synth.errors import UsageError
from synth.export.exporting import Rows
from synth.files import cannot_write, write_atomically
from synth.governance.deciding import Decision, FindPii, Record, decide
from synth.governance.policy import Policy
from synth.messages import Json


@dataclass(frozen=True, slots=True)
class Release:
    """What leaves: ``rows`` gives the rows as often as it is called."""

    record: Record
    rows: Rows


def release(run_dir: Path, rows: Rows, policy: Policy, *, purpose: str | None, marks: dict[str, str]) -> Release:
    """Apply ``policy`` to a run's rows and write ``governance.json`` and ``quarantine.jsonl`` into its folder.

    Raises ``UsageError`` where a rule can judge none of the rows, and where one needs a stated purpose and ``purpose``
    is None: nothing is written then. Raises it too where a rule blocks the release; the record says so.
    """
    find_pii = _pii_finder() if any(rule.looks_for_pii for rule in policy.rules) else _find_nothing
    record = Record(policy)
    decisions: list[Json] = []
    held: list[bytes] = []
    for row, decision in zip(rows(), decide(policy, rows(), find_pii, marks), strict=True):
        record.note(decision)
        if decision.evidence:
            decisions.append(decision.to_dict())
        if decision.row is None:
            held.append(orjson.dumps(row | {"held_back": decision.to_dict()}) + b"\n")
    for name in record.blind:
        raise UsageError(
            f"the rule {name!r} could judge none of the {record.rows:,} rows: {record.lacks[name]}",
            hint="correct its `when`; where rows may lack a field, ask first: `scores.x is defined and scores.x < 0.5`",
        )
    if "purpose" in record.needs and purpose is None and not record.actions["block"]:
        raise UsageError(
            f"the policy {policy.name} needs a stated purpose before anything leaves",
            hint="say it with --purpose; it is kept in the record",
        )
    told = record.to_dict() | {"at": _now(), "purpose": purpose, "by": _who(), "decisions": decisions}
    write_atomically(run_dir / "governance.json", [orjson.dumps(told, option=orjson.OPT_INDENT_2)])
    write_atomically(run_dir / "quarantine.jsonl", held)
    if record.actions["block"]:
        raise UsageError(
            f"the policy {policy.name} blocks the release: {record.actions['block']} rows meet a rule that blocks",
            hint=f"see {run_dir / 'governance.json'}",
        )

    def leaving() -> Iterator[Json]:
        decided: Iterator[Decision] = decide(policy, rows(), find_pii, marks)
        return (decision.row for decision in decided if decision.row is not None)

    return Release(record, leaving)


def note_access(run_dir: Path, *, action: str, to: str, rows: int, policy: Policy | None, purpose: str | None) -> None:
    """Add a line to the folder's ``access.jsonl``: who took what, where to, under which policy, and what for.

    A folder that may only be read keeps no record of its readers.
    """
    entry = {"at": _now(), "by": _who(), "action": action, "to": to, "rows": rows}
    entry |= {"policy": policy.to_dict() if policy is not None else None, "purpose": purpose}
    path = run_dir / "access.jsonl"
    try:
        with path.open("ab") as file:
            file.write(orjson.dumps(entry) + b"\n")
    except PermissionError:
        return
    except OSError as error:
        if error.errno == errno.EROFS:
            return
        raise cannot_write(path, error) from error


def _pii_finder() -> FindPii:
    from synth.curation.pii.finder import PiiFinder

    finder = PiiFinder()

    def find(texts: Sequence[str]) -> list[list[tuple[str, int, int]]]:
        return [[(one.kind, one.start, one.end) for one in here] for here in finder.find(texts)]

    return find


def _find_nothing(texts: Sequence[str]) -> list[list[tuple[str, int, int]]]:
    return [[] for _ in texts]


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
