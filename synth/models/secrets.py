"""What must be in no message about an endpoint: its key, the values of its headers, and credentials in its URL."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from yarl import URL

_LEAST = 4
"""Characters; a shorter text protects nothing, and hiding it would make messages unreadable."""
_LEAST_TOKEN = 12
_WORDS = re.compile(r"[a-z._~-]+")


class Secrets:
    """``values`` and what ``url`` holds besides an address: user, password, and what looks like a key in its path.

    A part of the path or the query looks like one that is long and no lower-case words.
    """

    def __init__(self, url: URL, values: Iterable[str | None]) -> None:
        found = {*values, url.user, url.raw_user, url.password, url.raw_password, basic_token(url)}
        parts = (*url.parts, *url.raw_parts, *url.query.values())
        found.update(part for part in parts if len(part) >= _LEAST_TOKEN and not _WORDS.fullmatch(part))
        # The longest first: one may be part of another.
        texts = sorted((text for text in found if text and len(text) >= _LEAST), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_spelt, texts))) if texts else None

    def scrub(self, text: str) -> str:
        """``text`` without any of them."""
        return self._pattern.sub("***", text) if self._pattern is not None else text


def _spelt(secret: str) -> str:
    """A pattern of ``secret``, as it is or with any of its characters percent-encoded."""
    return "".join(
        f"(?:{re.escape(character)}|(?i:{''.join(f'%{byte:02x}' for byte in character.encode())}))"
        for character in secret
    )


def basic_token(url: URL) -> str | None:
    """How HTTP's basic authentication spells the user and the password of ``url``; None where it has neither."""
    if url.user is None and url.password is None:
        return None
    return base64.b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()
