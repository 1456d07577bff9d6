"""Chat completions of one model at an OpenAI-compatible endpoint: one try a call."""

from __future__ import annotations

import re
from typing import Literal

from synth.errors import ResponseError, TransientError
from synth.messages import StopReason
from synth.models.client import Request, Response
from synth.models.context import Context
from synth.models.endpoint import MAX_ANSWER_BYTES, MAX_LOGPROBS_BYTES, Endpoint
from synth.models.structured import StructuredOutput, Way
from synth.models.wire import decode_response, encode_request

_ABOUT_MAX_TOKENS = re.compile(r"max_completion_tokens")


class OpenAICompatible:
    """The client of ``model`` at ``endpoint``. What the endpoint refuses is learnt once and remembered.

    ``context``: how much it takes at once, where that is known.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        *,
        structured: Literal["auto", "json_schema", "json_object", "prompt"] = "auto",
        send_seed: bool = False,
        context: Context | None = None,
    ) -> None:
        self._context = context
        self._endpoint = endpoint
        self._model = model
        self._structured = StructuredOutput(structured)
        self._send_seed = send_seed
        self._max_tokens_field = "max_tokens"

    @property
    def structured_way(self) -> Way:
        """How a JSON Schema is asked for at present."""
        return self._structured.way

    async def context_length(self) -> int | None:
        """Tokens of prompt and answer together, where the server tells: vLLM, llama.cpp, OpenRouter and others do."""
        for entry in await self._endpoint.list_models():
            if entry.get("id") == self._model:
                meta = entry.get("meta")
                told = [entry.get("max_model_len"), entry.get("context_length"), entry.get("context_window")]
                told.append(meta.get("n_ctx") if isinstance(meta, dict) else None)
                return next((length for length in told if isinstance(length, int) and length > 0), None)
        return None

    async def complete(self, request: Request) -> Response:
        """One request; a refused feature is tried in the next best way within the same call."""
        if request.schema is None or self._structured.settled:
            return await self._send(request)
        async with self._structured.finding_out:
            response = await self._find_out(request)
        return response or await self._send(request)

    async def _find_out(self, request: Request) -> Response | None:
        """Step down until the endpoint takes the schema; None where another call has found out in the meantime."""
        while not self._structured.settled:
            try:
                response = await self._send(request)
            except ResponseError as error:
                if not self._structured.refused(error):
                    raise
            except TransientError as error:
                self._structured.failed(error)
                raise
            else:
                if response.stop is StopReason.STOP or self._structured.way == "prompt":
                    self._structured.answered(response.message.content)
                return response
        return None

    async def _send(self, request: Request) -> Response:
        try:
            return await self._post(request)
        except ResponseError as error:
            # OpenAI's reasoning models refuse max_tokens and name the field that they want instead.
            if self._max_tokens_field != "max_tokens" or not _ABOUT_MAX_TOKENS.search(error.message):
                raise
        self._max_tokens_field = "max_completion_tokens"
        return await self._post(request)

    async def _post(self, request: Request) -> Response:
        if self._context is not None:
            request = await self._context.fit(request)
        body = encode_request(
            request,
            model=self._model,
            way=self._structured.way,
            max_tokens_field=self._max_tokens_field,
            send_seed=self._send_seed,
        )
        most = MAX_ANSWER_BYTES if request.top_logprobs is None else MAX_LOGPROBS_BYTES
        data = await self._endpoint.chat(body, model=self._model, sample=request.sample, max_bytes=most)
        where, scrub = self._endpoint.where, self._endpoint.scrub
        return decode_response(data, request, where=where, model=self._model, scrub=scrub)

    async def aclose(self) -> None:
        await self._endpoint.aclose()
