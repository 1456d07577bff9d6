"""The ``transformers`` provider: a Hugging Face model folder, name or GGUF in this process, many texts in lockstep.

Requests that wait are written together, a whole batch at a time, on a thread of its own. Members of a CorrSynth group
wait for each other, but not for long: one that was answered before, or rejected, never comes.
"""

from __future__ import annotations

import asyncio
import importlib.util
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.errors import FatalModelError, ResponseError, UsageError
from synth.messages import Json
from synth.models.client import Request, Response
from synth.models.corrsynth.member import XARGS, Member, read_member
from synth.models.threads import rest_idle_threads
from synth.models.wire import decode_response, message_bodies

if TYPE_CHECKING:
    from synth.models.transformers_decoding import Writing

_GATHER_SECONDS = 0.02
_GROUP_SECONDS = 1.0
"""How long a group's first member waits for the rest."""
_INSTALL = "pip install 'synth[transformers]'"


@dataclass(slots=True)
class _Waiting:
    request: Request
    member: Member | None
    answer: asyncio.Future[Response]
    since: float = field(default_factory=time.monotonic)


class TransformersModel:
    """A model client. ``places`` is how many texts are written together at most; loaded by the first request."""

    def __init__(self, model: str, *, places: int, context_length: int | None = None) -> None:
        for package in ("torch", "transformers"):
            if importlib.util.find_spec(package) is None:
                raise UsageError(f"provider transformers needs the package {package}", hint=_INSTALL)
        self._name = model
        self._places = places
        self._context = context_length
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="transformers")
        self._loaded: _Loaded | None = None
        self._waiting: list[_Waiting] = []
        self._worker: asyncio.Task[None] | None = None

    async def complete(self, request: Request) -> Response:
        try:
            member = read_member(request.sampling.extra.get(XARGS))
        except ValueError as error:
            raise ResponseError(str(error), kind="refused") from error
        waiting = _Waiting(request, member, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await waiting.answer

    async def aclose(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(_GATHER_SECONDS)
            self._waiting = [one for one in self._waiting if not one.answer.done()]
            batch = take_batch(self._waiting, self._places, time.monotonic())
            if not batch:
                continue
            self._waiting = [one for one in self._waiting if one not in batch]
            requests = [(one.request, one.member) for one in batch]
            try:
                answers = await asyncio.get_running_loop().run_in_executor(self._thread, self._write, requests)
            except Exception as error:  # noqa: BLE001 - whoever asked must hear of it, whatever it is
                for one in batch:
                    if not one.answer.done():
                        one.answer.set_exception(_as_ours(self._name, error))
                continue
            for one, answer in zip(batch, answers, strict=True):
                if one.answer.done():
                    continue
                if isinstance(answer, ResponseError):
                    one.answer.set_exception(answer)
                else:
                    one.answer.set_result(answer)

    def _write(self, requests: list[tuple[Request, Member | None]]) -> list[Response | ResponseError]:
        from synth.models.transformers_decoding import write_together

        if self._loaded is None:
            self._loaded = _load(self._name, self._context)
        loaded = self._loaded
        writings = [loaded.writing(request, member) for request, member in requests]
        write_together(loaded.model, writings, ends=loaded.ends, context=loaded.context, decode=loaded.tokenizer.decode)
        return [
            loaded.answer(request, writing, self._name)
            for (request, _), writing in zip(requests, writings, strict=True)
        ]


def take_batch(waiting: list[_Waiting], places: int, now: float) -> list[_Waiting]:
    """What is written next: requests of no group, and groups that are whole or have waited long enough."""
    present = Counter(one.member.group for one in waiting if one.member is not None)
    eldest: dict[str, float] = {}
    for one in waiting:
        if one.member is not None:
            eldest[one.member.group] = min(one.since, eldest.get(one.member.group, now))
    batch: list[_Waiting] = []
    for one in waiting:
        if one in batch:
            continue
        member = one.member
        if member is None:
            together = [one]
        elif present[member.group] >= member.size or now - eldest[member.group] >= _GROUP_SECONDS:
            together = [other for other in waiting if other.member is not None and other.member.group == member.group]
        else:
            continue
        if batch and len(batch) + len(together) > places:
            break
        batch += together
    return batch


@dataclass(slots=True)
class _Loaded:
    model: Any
    tokenizer: Any
    ends: frozenset[int]
    context: int

    def writing(self, request: Request, member: Member | None) -> Writing:
        from synth.models.transformers_decoding import Writing

        sampling = request.sampling
        tools = [tool.to_dict() for tool in request.tools] or None
        prompt = self.tokenizer.apply_chat_template(
            message_bodies(request), tools=tools, add_generation_prompt=True, tokenize=False
        )
        return Writing(
            self.tokenizer.encode(prompt, add_special_tokens=False),
            sampling.max_tokens,
            1.0 if sampling.temperature is None else sampling.temperature,
            1.0 if sampling.top_p is None else sampling.top_p,
            request.seed or 0,
            member,
            sampling.stop,
        )

    def answer(self, request: Request, writing: Writing, name: str) -> Response | ResponseError:
        if not writing.tokens and writing.ended == "length":
            size = len(writing.prompt)
            return ResponseError(
                f"the prompt has {size:,} tokens, and {name} takes {self.context:,} in all", kind="context"
            )
        text = self.tokenizer.decode(writing.tokens, skip_special_tokens=True)
        for stop in request.sampling.stop:
            text = text.partition(stop)[0]
        data: Json = {
            "model": name,
            "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": writing.ended}],
            "usage": {"prompt_tokens": len(writing.prompt), "completion_tokens": len(writing.tokens)},
        }
        return decode_response(data, request, where="transformers", model=name)


def _load(name: str, context: int | None) -> _Loaded:
    """Load a folder, a hub name, or a .gguf file. Raises ``FatalModelError``."""
    rest_idle_threads()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    path = Path(name)
    place, extra = (str(path.parent), {"gguf_file": path.name}) if path.suffix == ".gguf" else (name, {})
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, **extra)
        # A GGUF's weights stay packed, and its kernels compute in single precision.
        dtype = torch.float32 if extra else "auto"
        model = AutoModelForCausalLM.from_pretrained(place, dtype=dtype, **extra).eval()
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as error:
        raise FatalModelError(
            f"transformers cannot load {name!r}: {str(error).strip().splitlines()[0]}",
            hint=f"give a model folder, a hub name or a .gguf file; a .gguf needs {_INSTALL}",
        ) from error
    if torch.cuda.is_available():
        model = model.to("cuda")
    ends = {tokenizer.eos_token_id, *_as_list(model.generation_config.eos_token_id)} - {None}
    most = int(getattr(model.config, "max_position_embeddings", 0) or 4096)
    return _Loaded(model, tokenizer, frozenset(ends), min(context or most, most))


def _as_list(value: int | list[int] | None) -> list[int | None]:
    return list(value) if isinstance(value, list) else [value]


def _as_ours(name: str, error: Exception) -> Exception:
    if isinstance(error, FatalModelError):
        return error
    return FatalModelError(f"transformers failed on {name!r}: {type(error).__name__}: {error}")
