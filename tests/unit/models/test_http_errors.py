from __future__ import annotations

import pytest

from synth.errors import FatalModelError, ResponseError, SynthError, TransientError
from synth.models.http_errors import detail, error_of_status, parse_retry_after


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-1"}, 0.0),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Tue, 24 Nov 2026 10:00:30 GMT", "Date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"Retry-After": "Tue, 24 Nov 2026 09:00:00 GMT", "Date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"Retry-After": "Tue, 24 Nov 2026 10:00:30 GMT"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_servers_own_clock(headers: dict[str, str], seconds: float) -> None:
    assert parse_retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "Too\\n much"}}', "Too much"),
        (b'{"error": "plain"}', "plain"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"message": "No"}', "No"),
        (b"<!DOCTYPE html><html><head><title>\n502 Bad\n</title>", "an HTML page, '502 Bad'"),
        (b"<html></html>", "an HTML page"),
        (b"\xff\xfe oops", "\ufffd\ufffd oops"),
        (b"", ""),
    ],
)
def test_an_error_body_in_a_line(body: bytes, said: str) -> None:
    assert detail(body) == said


def test_secrets_are_taken_out_also_where_json_escapes_them_or_they_would_be_cut_in_two() -> None:
    def scrub(text: str) -> str:
        return text.replace("sk/key", "***")

    assert detail(rb'{"error": "no sk\/key"}', scrub) == "no ***"
    assert "sk" not in detail(b"x" * 297 + b"sk/key", scrub)
    moved = error_of_status("e", "m", 302, {"Location": "/sk/key/v2"}, b"", at_start=True, scrub=scrub)
    assert "points to /***/v2" in moved.message


def test_a_long_error_body_is_shortened() -> None:
    assert len(detail(b"x" * 100_000)) == 300


@pytest.mark.parametrize(
    ("status", "body", "kind", "error"),
    [
        (401, b"", FatalModelError, None),
        (403, b"", FatalModelError, None),
        (402, b"", FatalModelError, None),
        (404, b"", FatalModelError, None),
        (405, b"", FatalModelError, None),
        (302, b"", FatalModelError, None),
        (429, b'{"error": {"message": "insufficient_quota"}}', FatalModelError, None),
        (429, b'{"error": {"message": "No funds", "code": "insufficient_quota"}}', FatalModelError, None),
        (429, b'{"error": {"message": "No", "type": "insufficient_quota"}}', FatalModelError, None),
        (429, b"Insufficient balance", FatalModelError, None),
        (429, b"insufficient quota, please try again in 1s", TransientError, "rate_limited"),
        (429, b"check your plan and billing details", TransientError, "rate_limited"),
        (429, b"", TransientError, "rate_limited"),
        (429, b"too many tokens per minute", TransientError, "rate_limited"),
        (429, b"Request too large: Limit 30000, Requested 40000", ResponseError, "context_length"),
        (413, b"The input must be reduced", ResponseError, "context_length"),
        (503, b"", TransientError, "overloaded"),
        (529, b"", TransientError, "overloaded"),
        (408, b"", TransientError, "timeout"),
        (504, b"", TransientError, "timeout"),
        (500, b"", TransientError, "server_error"),
        (502, b"", TransientError, "server_error"),
        (400, b"maximum context length is 4096 tokens", ResponseError, "context_length"),
        (400, b"exceeds the available context size", ResponseError, "context_length"),
        (413, b"prompt is too long", ResponseError, "context_length"),
        (400, b"content management policy", ResponseError, "content_filter"),
        (422, b"bad field", ResponseError, "bad_request"),
        (501, b"", ResponseError, "bad_request"),
        (403, b"your input was flagged", ResponseError, "content_filter"),
    ],
)
def test_what_a_status_means(status: int, body: bytes, kind: type[SynthError], error: str | None) -> None:
    found = error_of_status("http://e/v1", "m", status, {}, body, at_start=True)
    assert type(found) is kind
    assert "http://e/v1" in found.message or error == "context_length"
    if isinstance(found, TransientError | ResponseError):
        assert found.kind == error
    else:
        assert found.hint


def test_a_403_in_the_middle_is_a_mood_of_a_gateway_and_no_wrong_key() -> None:
    found = error_of_status("http://e/v1", "m", 403, {}, b"", at_start=False)
    assert isinstance(found, TransientError)


def test_an_account_that_may_be_asked_again_soon_is_not_empty() -> None:
    found = error_of_status("e", "m", 429, {"Retry-After": "1"}, b"insufficient quota", at_start=False)
    assert isinstance(found, TransientError)
    assert found.retry_after == 1
