"""What an HTTP status or a broken connection means for a call: the one place where they become synth's errors."""

from __future__ import annotations

import math
import re
import ssl
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

import aiohttp
import orjson

from synth.errors import FatalModelError, ResponseError, SynthError, TransientError
from synth.models.text import keep

_CONTEXT_LENGTH = re.compile(
    r"context.?length|maximum context|context.?size|context.?window|prompt is too long|max_model_len|too many tokens",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(r"request too large|must be reduced", re.IGNORECASE)
_NO_CREDIT = re.compile(r"insufficient[ _](?:account )?(?:quota|balance|credit|funds)", re.IGNORECASE)
_LATER = re.compile(r"(?:try again|retry) (?:in|after)", re.IGNORECASE)
_FILTERED = re.compile(
    r"content_filter|content management policy|content_policy|ResponsibleAI|flagged|moderation", re.IGNORECASE
)

_KEY_HINT = "set the model's api_key (for example api_key: ${OPENAI_API_KEY}) to a key that may use this model"
_URL_HINT = "base_url goes up to and including /v1, for example http://127.0.0.1:8000/v1"


def detail(body: bytes, scrub: Callable[[str], str] = keep) -> str:
    """What an error body says, in one short line: the API's own message, or the start of the text.

    ``scrub`` takes secrets out; before anything is shortened, so that none is left in part.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = scrub(body.decode("utf-8", "replace"))[:2000]
        if "<html" in text.lower() or "<!doctype" in text.lower():
            title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
            text = f"an HTML page, {title[1].strip()!r}" if title else "an HTML page"
    else:
        error = data.get("error", data) if isinstance(data, dict) else data
        text = str(error.get("message") or error.get("detail") or error) if isinstance(error, dict) else str(error)
    line = " ".join(scrub(text).split())
    return line if len(line) <= 300 else line[:299] + "…"


def _has_no_credit(said: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether a 429 means an empty account, and not only a moment's limit, which may well speak of billing too."""
    try:
        error = orjson.loads(body)["error"]
        if "insufficient_quota" in (error.get("code"), error.get("type")):
            return True
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        pass  # nothing but words
    told_to_wait = parse_retry_after(headers) is not None or _LATER.search(said)
    return bool(_NO_CREDIT.search(said)) and not told_to_wait


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, or None where it does not say.

    A date is read against the server's own ``Date``, so that neither its clock nor ours has to be right.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("Retry-After")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    try:
        now = parsedate_to_datetime(headers["Date"])
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def error_of_status(
    where: str,
    model: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    at_start: bool,
    scrub: Callable[[str], str] = keep,
) -> SynthError:
    """The error that an answer with ``status`` (not 200) stands for. ``where`` names the endpoint to the user.

    ``at_start``: nothing has been answered there yet. ``scrub`` takes secrets out of what the server says.
    """
    said = detail(body, scrub)
    told = f"{where} answered {status} ({said})" if said else f"{where} answered {status}"
    if _FILTERED.search(said) and status in (400, 403, 422):
        return ResponseError(f"{where} refused the prompt ({said})", kind="content_filter")
    if status == 401 or (status == 403 and at_start):
        return FatalModelError(f"{where} does not accept the API key ({status}: {said})", hint=_KEY_HINT)
    if status == 402 or (status == 429 and _has_no_credit(said, body, headers)):
        return FatalModelError(f"{told}: the account has no credit left", hint="top it up, then run again: it resumes")
    if status == 404:
        return FatalModelError(f"{where} has no model {model!r} (404: {said})", hint=_URL_HINT)
    if status == 405 or 300 <= status < 400:
        target = scrub(headers.get("Location", ""))
        told = f"{told} and points to {target}" if target else told
        return FatalModelError(f"{told}: this is not a chat completions endpoint", hint=_URL_HINT)
    if status == 429 and not _TOO_LARGE.search(said):
        return TransientError(told, kind="rate_limited", retry_after=parse_retry_after(headers))
    if status in (503, 529):
        return TransientError(told, kind="overloaded", retry_after=parse_retry_after(headers))
    if status in (408, 504):
        return TransientError(told, kind="timeout", retry_after=parse_retry_after(headers))
    if status in (403, 409, 425) or (status >= 500 and status != 501):
        return TransientError(told, kind="server_error", retry_after=parse_retry_after(headers))
    if _CONTEXT_LENGTH.search(said) or _TOO_LARGE.search(said):
        return ResponseError(f"the request does not fit the model's context ({said})", kind="context_length")
    return ResponseError(f"{told}: it refuses this request", kind="bad_request")


def error_of_exception(where: str, error: Exception, *, at_start: bool) -> SynthError:
    """The error that a failure to send or to receive stands for.

    ``at_start``: nothing has been answered there yet and synth does not run the server itself, so a host that cannot
    be found or that refuses the connection is a mistake to mend and not an outage to wait for.
    """
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return FatalModelError(
            f"no TLS connection to {where}: {error.strerror or error}",
            hint="check the host name and the certificate; SSL_CERT_FILE names a private authority; "
            "a server without TLS wants http:// in base_url",
        )
    if isinstance(error, aiohttp.InvalidURL):
        return FatalModelError(f"{where} is not a usable address", hint=_URL_HINT)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        told = f"the host of {where} cannot be found"
        if at_start:
            return FatalModelError(told, hint="check base_url and the network (DNS, proxy)")
        return TransientError(told, kind="connection")
    if isinstance(error, aiohttp.ClientConnectorError):
        told = f"nothing accepts connections at {where} ({error.os_error.strerror or error.os_error})"
        if at_start:
            return FatalModelError(told, hint="start the server, or correct base_url")
        return TransientError(told, kind="connection")
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ContentTypeError):
        return TransientError(f"the answer of {where} was cut off in the middle", kind="malformed")
    if isinstance(error, TimeoutError):
        return TransientError(f"{where} did not accept a connection in time", kind="connection")
    return TransientError(f"the connection to {where} broke ({type(error).__name__})", kind="connection")
