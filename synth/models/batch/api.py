"""OpenAI's Batch API: hand in a file of requests, ask how far it is, fetch the answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from yarl import URL

from synth.errors import FatalModelError, SynthError, TransientError
from synth.models.http_errors import detail, error_of_status

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
_RETRIES = 5
_SECONDS = 300.0  # for one upload or download
_HINT = "leave out `batch`, or check base_url: not every endpoint has OpenAI's Batch API"
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass(frozen=True, slots=True)
class BatchState:
    """``status`` is the API's word. ``files`` hold one JSON line per answered request once ``ended``; ``problem`` says
    why a batch was refused, ``problem_code`` in the API's word."""

    status: str
    answered: int = 0
    total: int = 0
    files: tuple[str, ...] = ()
    problem: str = ""
    problem_code: str = ""

    @property
    def ended(self) -> bool:
        return self.status in _ENDED


class NotFound(FatalModelError):
    """The endpoint has no such batch or file, or no Batch API at all."""


class BatchApi:
    """The API at ``base_url``. Raises ``FatalModelError`` and ``TransientError``, after the client's own retries.

    ``where`` is how messages call it; ``scrub`` takes secrets out of what it says.
    """

    def __init__(
        self,
        base_url: str,
        *,
        where: str,
        scrub: Callable[[str], str],
        api_key: str | None,
        headers: Mapping[str, str],
    ) -> None:
        self._url = URL(base_url)
        self._where = where
        self._scrub = scrub
        self._api_key = api_key
        self._headers = dict(headers)
        self._client: AsyncOpenAI | None = None
        self._answered = False

    async def upload(self, lines: bytes) -> str:
        """Hand in requests, one JSON object a line; returns the file's id."""
        async with self._errors() as client:
            file = await client.files.create(file=("requests.jsonl", lines), purpose="batch")
            return _text(file.id)

    async def create(self, file_id: str) -> str:
        """Have the requests of a file answered; returns the batch's id."""
        try:
            async with self._errors() as client:
                batch = await client.batches.create(
                    input_file_id=file_id, endpoint=ENDPOINT, completion_window="24h", metadata={"made_by": "synth"}
                )
                return _text(batch.id)
        except TransientError as error:
            if error.kind == "malformed":  # another try may buy the same answers again
                raise FatalModelError(error.message, hint=_HINT) from error
            raise

    async def look(self, batch_id: str) -> BatchState:
        """How far the batch is."""
        async with self._errors() as client:
            batch = await client.batches.retrieve(batch_id)
            counts, errors = batch.request_counts, (batch.errors.data if batch.errors else None) or []
            return BatchState(
                status=_text(batch.status),
                answered=counts.completed + counts.failed if counts else 0,
                total=counts.total if counts else 0,
                files=tuple(_text(file) for file in (batch.output_file_id, batch.error_file_id) if file),
                problem="; ".join(dict.fromkeys(error.message or error.code or "" for error in errors[:5])),
                problem_code=(errors[0].code or "") if errors else "",
            )

    async def read(self, file_id: str) -> list[bytes]:
        """The lines of a file of answers."""
        async with self._errors() as client:
            content = await client.files.content(file_id)
        return [line for line in content.content.split(b"\n") if line.strip()]

    async def cancel(self, batch_id: str) -> None:
        """Ask for its end; what was answered by then is paid for, and can be read."""
        async with self._errors() as client:
            await client.batches.cancel(batch_id)

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[AsyncOpenAI]:
        import openai

        if self._client is None:
            self._client = openai.AsyncOpenAI(
                base_url=str(self._url.with_query(None)),
                default_query=dict(self._url.query),
                api_key=self._api_key or "none",
                default_headers=self._headers,
                max_retries=_RETRIES,
                timeout=_SECONDS,
            )
        try:
            yield self._client
            self._answered = True
        except openai.APIStatusError as error:
            raise self._translate(error) from error
        except openai.APIConnectionError as error:
            told = f"the Batch API of {self._where} cannot be reached ({type(error.__cause__ or error).__name__})"
            if self._answered:
                raise TransientError(told, kind="connection") from error
            raise FatalModelError(told, hint="check base_url and the network (DNS, proxy)") from error
        except (openai.APIError, ValueError, TypeError, AttributeError) as error:  # the client hands on what it gets
            told = f"the Batch API of {self._where} answered with something else than was asked for"
            raise TransientError(told, kind="malformed") from error

    def _translate(self, error: APIStatusError) -> SynthError:
        status = error.status_code
        body = error.response.content
        known = error_of_status(self._where, "", status, error.response.headers, body, at_start=True, scrub=self._scrub)
        if isinstance(known, TransientError) or status in (401, 402, 403):
            return known
        told = f"{self._where} does not take batches ({status}: {detail(body, self._scrub)})"
        return NotFound(told, hint=_HINT) if status == 404 else FatalModelError(told, hint=_HINT)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
