"""Whether a vLLM server works, and not only its front: an engine that hangs leaves ``/health`` as it was."""

from __future__ import annotations

import re

import aiohttp

PROBE_SECONDS = 60.0
_COUNTED = re.compile(rb"^vllm:(?:prompt|generation)_tokens_total(?:\{[^}]*\})? (\S+)", re.M)


async def engine_works(root: str, model: str) -> bool:
    """Whether the server at ``root`` (without ``/v1``) generates a token for us within ``PROBE_SECONDS``, or, where
    we have to wait behind other requests, any token at all."""
    timeout = aiohttp.ClientTimeout(total=PROBE_SECONDS)
    ask = {"model": model, "prompt": "1", "max_tokens": 1}
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            before = await _count_tokens(session, root)
            try:
                async with session.post(f"{root}/v1/completions", json=ask) as response:
                    return response.status < 500
            except TimeoutError:
                return await _count_tokens(session, root) > before
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


async def _count_tokens(session: aiohttp.ClientSession, root: str) -> float:
    """How many tokens the server has read and written so far; 0 where it does not count."""
    async with session.get(f"{root}/metrics") as response:
        text = await response.read()
    return sum(float(number) for number in _COUNTED.findall(text))
