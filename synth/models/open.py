"""From the recipe's ``models`` to models that can be called, and back: what was opened is closed, in reverse."""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from synth.errors import UsageError
from synth.fingerprint import sha256_file
from synth.models.batch.endpoint import BatchEndpoint
from synth.models.context import Context
from synth.models.corrsynth.lockstep import Lockstep
from synth.models.embedded.provider import EmbeddedServer, EmbeddedServers
from synth.models.embedded.pull import is_path
from synth.models.embedded.registry import DEFAULT
from synth.models.endpoint import Endpoint
from synth.models.limiter import LONGEST_PAUSE, Limiter
from synth.models.model import Model
from synth.models.openai_compatible import OpenAICompatible
from synth.models.prices import find_price
from synth.models.progress import Report, ignore
from synth.models.scripted import ScriptedModel, echo_rules, load_rules
from synth.models.transformers_model import TransformersModel
from synth.models.vllm.corrsynth import add_plugin
from synth.models.vllm.python import find_python
from synth.models.vllm.server import VllmServer
from synth.models.vllm.tokens import count_tokens
from synth.recipe.models import ModelSpec

_LOCKSTEP = 32
"""Texts that provider transformers writes together, where the recipe does not say."""
OPENAI_URL = "https://api.openai.com/v1"
_DEFAULT_CONCURRENCY = 64
_QUEUED = 2  # requests per place of an embedded server: one is computed while the next is on its way

_Key = tuple[str, str | None, tuple[tuple[str, str], ...]]
_VllmKey = tuple[str, tuple[str, ...], tuple[tuple[str, str], ...], str | None, int | None]


@asynccontextmanager
async def open_models(
    specs: Mapping[str, ModelSpec],
    *,
    base: Path,
    run_dir: Path | None = None,
    decoding: Collection[str] = (),
    seconds_left: Callable[[], float] = lambda: math.inf,
    report: Report = ignore,
) -> AsyncIterator[dict[str, Model]]:
    """The models of a recipe by their names, open while the context lasts.

    ``base`` is the folder that relative paths are relative to; ``run_dir`` is where servers that synth starts keep
    their logs (None: a temporary folder). ``seconds_left`` tells how long the run may still last. Raises
    ``UsageError`` for what the recipe says wrongly and ``FatalModelError`` for a server that does not start.
    """
    async with AsyncExitStack() as stack:
        if run_dir is None:
            run_dir = Path(stack.enter_context(TemporaryDirectory(prefix="synth-")))
        opening = _Opening(base, run_dir, decoding, seconds_left, report, stack)
        yield await opening.open_all(specs)


class _Opening:
    def __init__(
        self,
        base: Path,
        run_dir: Path,
        decoding: Collection[str],
        seconds_left: Callable[[], float],
        report: Report,
        stack: AsyncExitStack,
    ) -> None:
        self._base = base
        self._decoding = decoding
        self._seconds_left = seconds_left
        self._stack = stack
        self._run_dir = run_dir
        self._logs = run_dir / "logs"
        self._report = report
        self._servers = EmbeddedServers(self._logs, report)
        self._endpoints: dict[_Key, tuple[Endpoint, Limiter]] = {}
        self._run = secrets.token_hex(4)

    async def open_all(self, specs: Mapping[str, ModelSpec]) -> dict[str, Model]:
        self._stack.push_async_callback(self._servers.stop)
        embedded = {name: self._find_server(spec) for name, spec in specs.items() if spec.provider == "embedded"}
        started = self._find_vllms({name: spec for name, spec in specs.items() if _needs_vllm(spec)})
        await asyncio.gather(*(server.start() for server in dict.fromkeys(embedded.values())))
        for server in dict.fromkeys(started.values()):  # one by one: each measures what memory is free
            await server.start()
        self._open_endpoints(specs)
        models = {}
        for name, spec in specs.items():
            if name in embedded:
                models[name] = self._open_embedded(name, spec, embedded[name])
            elif spec.provider == "vllm":
                models[name] = await self._open_vllm(name, spec, started.get(name))
            else:
                models[name] = self._open(name, spec)
        return models

    def _open(self, name: str, spec: ModelSpec) -> Model:
        if spec.provider == "scripted":
            return self._open_scripted(name, spec)
        if spec.provider == "openai":
            return self._open_openai(name, spec)
        if spec.provider == "transformers":
            return self._open_transformers(name, spec)
        raise UsageError(f"models.{name}: provider {spec.provider} is not available in this version")

    def _open_openai(self, name: str, spec: ModelSpec) -> Model:
        if spec.model is None:
            raise UsageError(f"models.{name}: provider openai needs `model`", hint="name a model of the endpoint")
        endpoint, limiter = self._open_batches(name, spec) if spec.batch else self._endpoints[_key(spec)]
        client = OpenAICompatible(
            endpoint,
            spec.model,
            # To find out what is taken would cost a batch with one request.
            structured="json_schema" if spec.batch and spec.structured == "auto" else spec.structured,
            send_seed=bool(spec.send_seed),
            context=Context(spec.context_length) if spec.context_length is not None else None,
        )
        url = endpoint.base_url
        timeout = math.inf if spec.batch else spec.timeout
        return Model(name, f"openai:{spec.model}", url, client, limiter, find_price(spec, url), timeout)

    def _open_batches(self, name: str, spec: ModelSpec) -> tuple[Endpoint, Limiter]:
        """Of its own for each model: the API wants one model in a batch."""
        url, api_key, headers = _key(spec)
        ledger = self._run_dir / "batches" / f"{name}.jsonl"
        endpoint = BatchEndpoint(
            url,
            name=name,
            most=spec.concurrency,
            ledger=ledger,
            api_key=api_key,
            headers=dict(headers),
            seconds_left=self._seconds_left,
            report=self._report,
        )
        self._stack.push_async_callback(endpoint.aclose)
        return endpoint, Limiter(endpoint.where, spec.concurrency, patience=self._patience, report=self._report)

    def _open_transformers(self, name: str, spec: ModelSpec) -> Model:
        if spec.model is None:
            raise UsageError(f"models.{name}: provider transformers needs `model`", hint="name a folder or a .gguf")
        path = self._base / spec.model
        places = spec.concurrency if "concurrency" in spec.model_fields_set else _LOCKSTEP
        client = TransformersModel(
            str(path) if path.exists() else spec.model, places=places, context_length=spec.context_length
        )
        self._stack.push_async_callback(client.aclose)
        # Twice as many may wait as are written together, so that the next batch is there when one ends.
        limiter = Limiter(f"the model {spec.model!r}", 2 * places, patience=self._patience)
        price = find_price(spec, None)
        return Model(name, f"transformers:{spec.model}", "", client, limiter, price, spec.timeout)

    def _open_embedded(self, name: str, spec: ModelSpec, server: EmbeddedServer) -> Model:
        key = (server.base_url, None, ())
        if key not in self._endpoints:
            self._connect(key, min(spec.concurrency, _QUEUED * server.parallel), server=server.name)
        endpoint, limiter = self._endpoints[key]
        client = OpenAICompatible(
            endpoint, server.name, structured=spec.structured, send_seed=spec.send_seed is not False
        )
        price = find_price(spec, None)
        return Model(name, f"embedded:{server.name}", "", client, limiter, price, spec.timeout, server)

    async def _open_vllm(self, name: str, spec: ModelSpec, server: VllmServer | None) -> Model:
        if server is None:
            endpoint, limiter = self._endpoints[_key(spec)]
            model = str(spec.model)
        else:
            key = (server.base_url, None, ())
            if key not in self._endpoints:
                self._connect(key, spec.concurrency, server=f"vLLM for {server.name}")
            endpoint, limiter = self._endpoints[key]
            model = server.name
        length = spec.context_length or await _find_context_length(endpoint, model)
        asking = OpenAICompatible(
            endpoint,
            model,
            structured=spec.structured,
            # A seed for each request takes vLLM's fast sampling away, and ends the engine on some builds.
            send_seed=bool(spec.send_seed),
            context=Context(length, partial(count_tokens, endpoint, model)) if length is not None else None,
        )
        client = Lockstep(asking, self._run)
        price = find_price(spec, None)
        return Model(name, f"vllm:{model}", endpoint.base_url, client, limiter, price, spec.timeout, server)

    def _open_scripted(self, name: str, spec: ModelSpec) -> Model:
        label = spec.model or name
        if spec.answers is None:
            rules, identity = echo_rules(), "echo"
        else:
            path = self._base / spec.answers
            rules = load_rules(path)
            identity = sha256_file(path)[:16]
        limiter = Limiter(f"the scripted model {label!r}", spec.concurrency, patience=self._patience)
        client = ScriptedModel(rules, name=label)
        price = find_price(spec, None)
        return Model(name, f"scripted:{label}:{identity}", "", client, limiter, price, spec.timeout)

    def _find_server(self, spec: ModelSpec) -> EmbeddedServer:
        model = spec.model or DEFAULT
        file = str(self._base / model) if is_path(model) else model
        return self._servers.get(file, parallel=spec.concurrency, context_length=spec.context_length)

    def _find_vllms(self, specs: Mapping[str, ModelSpec]) -> dict[str, VllmServer]:
        """One server for all models that differ in what a request says, at most."""
        keys = {name: self._vllm_key(spec) for name, spec in specs.items()}
        plugged = {keys[name] for name in self._decoding if name in keys}
        servers: dict[_VllmKey, VllmServer] = {}
        for name, spec in specs.items():
            if keys[name] not in servers:
                servers[keys[name]] = self._make_vllm(name, spec, plugged=keys[name] in plugged)
        return {name: servers[key] for name, key in keys.items()}

    def _make_vllm(self, name: str, spec: ModelSpec, *, plugged: bool) -> VllmServer:
        args, env = tuple(spec.args), spec.env
        if plugged:
            args, env = add_plugin(args, env, Path(self._stack.enter_context(TemporaryDirectory(prefix="synth-"))))
        server = VllmServer(
            self._find_folder(spec),
            python=find_python(spec.python, self._base),
            log=self._logs / f"vllm-{name}.log",
            args=args,
            env=env,
            context_length=spec.context_length,
            report=self._report,
        )
        self._stack.push_async_callback(server.stop)
        return server

    def _vllm_key(self, spec: ModelSpec) -> _VllmKey:
        env = tuple(sorted(spec.env.items()))
        return self._find_folder(spec), tuple(spec.args), env, spec.python, spec.context_length

    def _find_folder(self, spec: ModelSpec) -> str:
        assert spec.model is not None, "the loader asks for it"
        folder = self._base / Path(spec.model).expanduser()
        return str(folder) if folder.is_dir() else spec.model

    def _open_endpoints(self, specs: Mapping[str, ModelSpec]) -> None:
        """One endpoint and one limiter for all models that share an address and a key; the strictest limits count."""
        groups: dict[_Key, list[ModelSpec]] = {}
        for spec in specs.values():
            if (spec.provider == "openai" and not spec.batch) or (
                spec.provider == "vllm" and spec.base_url is not None
            ):
                groups.setdefault(_key(spec), []).append(spec)
        for key, members in groups.items():
            asked = [spec.concurrency for spec in members if "concurrency" in spec.model_fields_set]
            self._connect(
                key,
                min(asked, default=_DEFAULT_CONCURRENCY),
                rpm=_least(spec.limits.rpm for spec in members),
                tpm=_least(spec.limits.tpm for spec in members),
            )

    def _connect(
        self, key: _Key, ceiling: int, *, server: str = "", rpm: int | None = None, tpm: int | None = None
    ) -> None:
        """Open the endpoint and its limiter; ``server`` is what messages call a server that synth runs itself."""
        url, api_key, headers = key
        endpoint = Endpoint(url, api_key=api_key, headers=dict(headers), own_server=bool(server))
        self._stack.push_async_callback(endpoint.aclose)
        limiter = Limiter(
            server or endpoint.where, ceiling, rpm=rpm, tpm=tpm, patience=self._patience, report=self._report
        )
        endpoint.on_progress = limiter.note_progress
        self._endpoints[key] = endpoint, limiter

    def _patience(self) -> float:
        return min(LONGEST_PAUSE, self._seconds_left())


def _needs_vllm(spec: ModelSpec) -> bool:
    return spec.provider == "vllm" and spec.base_url is None


async def _find_context_length(endpoint: Endpoint, model: str) -> int | None:
    """What the server says of itself; vLLM does, as ``max_model_len``."""
    for entry in await endpoint.list_models():
        length = entry.get("max_model_len")
        if entry.get("id") == model and isinstance(length, int):
            return length
    return None


def _key(spec: ModelSpec) -> _Key:
    return (spec.base_url or OPENAI_URL).rstrip("/"), spec.api_key, tuple(sorted(spec.headers.items()))


def _least(limits: Iterable[int | None]) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
