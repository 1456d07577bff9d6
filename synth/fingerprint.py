"""Stable hashes and the random numbers derived from them: same input, same bytes, on every machine."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import orjson

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no white space; equal values give equal bytes."""
    return orjson.dumps(value, option=_OPTIONS)


def fingerprint(value: Any) -> str:
    """128 bits of BLAKE2b over the canonical JSON of ``value``, as 32 hex digits."""
    return hashlib.blake2b(canonical_json(value), digest_size=16).hexdigest()


def fingerprint_text(text: str) -> str:
    """The same over a text's UTF-8 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file, as 64 hex digits; reads it in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def derive_seed(*parts: str | int) -> int:
    """A 63-bit seed that depends on every part and on their order."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def derive_rng(*parts: str | int) -> random.Random:
    """A random generator seeded with :func:`derive_seed`."""
    return random.Random(derive_seed(*parts))
