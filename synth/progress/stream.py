"""The stream that everything said to the user goes through: without secrets, and with characters it can show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TextIO, cast

_TRAILING = re.compile(r" +\n")  # a layout's padding, which is of no use in a file
# One character for one: a layout counts them.
_PLAIN = str.maketrans({"·": "-", "–": "-", "—": "-", "…": ".", "→": ">", "×": "x", "“": '"', "”": '"', "’": "'"})


class CleanStream:
    """Writes to ``stream``, which must be text. Secrets become ``***``; a stream that is not UTF-8 gets no typography.

    Whoever reads a recipe adds its secrets with :meth:`hide` before anything else is said.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._secrets: tuple[str, ...] = ()
        self.encoding: str = getattr(stream, "encoding", None) or "utf-8"
        self._terminal = stream.isatty()
        self._simple = not self.encoding.lower().startswith("utf")

    def hide(self, secrets: Iterable[str]) -> None:
        """Never write any of these texts."""
        self._secrets = tuple({*self._secrets, *(secret for secret in secrets if secret)})

    def clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        if self._simple:
            text = text.translate(_PLAIN).encode(self.encoding, "backslashreplace").decode(self.encoding)
        return text

    def write(self, text: str) -> int:
        if not self._terminal:
            text = _TRAILING.sub("\n", text)
        self._stream.write(self.clean(text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._terminal

    def fileno(self) -> int:
        return self._stream.fileno()

    def as_text_io(self) -> TextIO:
        """The same, for libraries that only write, flush and ask whether this is a terminal."""
        return cast(TextIO, self)
