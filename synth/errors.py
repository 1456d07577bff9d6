"""Every error that synth raises on purpose, and what each one means for a run.

    SynthError                     has a message, and a hint: what to do next
    ├── UsageError                 the user asked for something that cannot be      exit 2
    │   └── RecipeError            one or more problems, each at file:line:column   exit 2
    ├── RunError                   the run cannot go on                             exit 1
    │   ├── FatalModelError        no retry can mend it: wrong key, no such model
    │   └── EndpointUnavailable    one endpoint is out for longer than the run; others go on   exit 3
    ├── ModelError                 one model call failed; the run goes on
    │   ├── TransientError         a retry may mend it: busy, dropped, timed out
    │   └── ResponseError          an answer came and cannot be used: cut off, empty, not JSON
    ├── Rejected                   one attempt is not accepted; it is stored with its reason
    │   └── EnvironmentFault       the environment itself failed under it: an exception in a tool, a server that died
    └── BudgetSpent                a budget would be passed; the run ends short     exit 3

Third-party exceptions become one of these at the place where they are met, chained with ``from``.
Anything else that reaches the top is a defect in synth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EXIT_COMPLETE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_SHORT = 3
EXIT_INTERRUPTED = 130


class SynthError(Exception):
    """Base of all; ``str()`` is one clear sentence, ``hint`` says what to do next (or is empty)."""

    exit_code = EXIT_FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SynthError):
    """The command line, a path or a file given by the user is wrong."""

    exit_code = EXIT_USAGE


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file the user wrote. ``line`` and ``column`` count from 1; 0 means the whole file."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class RecipeError(UsageError):
    """All problems found in a recipe and the files it names, in the order of their position."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class RunError(SynthError):
    """The run as a whole cannot go on; what was paid for is in the run store."""


class FatalModelError(RunError):
    """A model cannot be used at all, and no retry will change that."""


class EndpointUnavailable(RunError):
    """An endpoint asks to be left alone for longer than the run may last; what needs no other answer of it goes on."""

    exit_code = EXIT_SHORT


class ModelError(SynthError):
    """One call to a model failed."""


class TransientError(ModelError):
    """A call failed in a way that may pass.

    ``kind`` is a short class for counting (``rate_limited``, ``overloaded``, ``timeout``, ``connection``,
    ``server_error``, ``malformed``); ``retry_after`` is what the server asked for, in seconds.
    ``busy`` marks the kinds that mean "you send too much", on which concurrency is cut.
    """

    def __init__(self, message: str, *, kind: str, retry_after: float | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.retry_after = retry_after

    @property
    def busy(self) -> bool:
        return self.kind in {"rate_limited", "overloaded", "timeout"}


class ResponseError(ModelError):
    """An answer arrived, was paid for and journaled, and cannot be used. ``text`` is what came."""

    def __init__(self, message: str, *, kind: str, text: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.text = text


class Rejected(SynthError):
    """An attempt ends without an example: which gate said no, why, and the text it said no to."""

    def __init__(self, gate: str, reason: str, *, text: str = "") -> None:
        super().__init__(f"{gate}: {reason}")
        self.gate = gate
        self.reason = reason
        self.text = text


class EnvironmentFault(Rejected):
    """A tool environment failed in a way that no agent can mend; the attempt ends, the others go on."""

    def __init__(self, reason: str) -> None:
        super().__init__("environment", reason)


class BudgetSpent(SynthError):
    """No further call may be sent: it could pass ``budget.<limit>``."""

    exit_code = EXIT_SHORT

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message, hint=f"raise budget.{limit} and run the same command again: it resumes")
        self.limit = limit
