"""From the recipe's ``models`` to models that can be called, and back: what was opened is closed, in reverse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from synth.errors import UsageError
from synth.fingerprint import sha256_file
from synth.models.client import ModelClient
from synth.models.embedded.provider import EmbeddedServer, EmbeddedServers
from synth.models.embedded.pull import is_path
from synth.models.embedded.registry import DEFAULT
from synth.models.endpoint import Endpoint
from synth.models.limiter import Limiter
from synth.models.model import Model
from synth.models.openai_compatible import OpenAICompatible
from synth.models.prices import FREE, Price
from synth.models.progress import Report, ignore
from synth.models.scripted import ScriptedModel, echo_rules, load_rules
from synth.recipe.schema import ModelSpec

OPENAI_URL = "https://api.openai.com/v1"


@asynccontextmanager
async def open_models(
    specs: Mapping[str, ModelSpec], *, base: Path, run_dir: Path, report: Report = ignore
) -> AsyncIterator[dict[str, Model]]:
    """The models of a recipe by their names, open while the context lasts.

    ``base`` is the folder that relative paths are relative to; servers that synth starts keep their logs in
    ``run_dir``; ``report`` is told what is being made ready. Raises ``UsageError`` for what the recipe says wrongly and
    ``FatalModelError`` for a server that does not start.
    """
    async with AsyncExitStack() as stack:
        endpoints: dict[tuple[object, ...], tuple[Endpoint, Limiter]] = {}
        embedded = EmbeddedServers(run_dir / "logs", report)
        stack.push_async_callback(embedded.stop)
        asked = {
            name: embedded.get(_model_file(spec, base), parallel=spec.concurrency, context_length=spec.context_length)
            for name, spec in specs.items()
            if spec.provider == "embedded"
        }
        models = {}
        for name, spec in specs.items():
            if name in asked:
                models[name] = await _open_embedded(name, spec, asked[name], endpoints, stack)
            else:
                models[name] = _open(name, spec, base, endpoints, stack)
        yield models


def _open(
    name: str,
    spec: ModelSpec,
    base: Path,
    endpoints: dict[tuple[object, ...], tuple[Endpoint, Limiter]],
    stack: AsyncExitStack,
) -> Model:
    if spec.provider == "scripted":
        return _open_scripted(name, spec, base)
    if spec.provider == "openai":
        if spec.model is None:
            raise UsageError(f"models.{name}: provider openai needs `model`", hint="name a model of the endpoint")
        url = spec.base_url or OPENAI_URL
        endpoint, limiter = _endpoint(spec, url, endpoints, stack)
        client = OpenAICompatible(endpoint, spec.model, structured=spec.structured, send_seed=bool(spec.send_seed))
        return Model(name, f"openai:{spec.model}", url, client, limiter, _price(spec))
    raise UsageError(f"models.{name}: provider {spec.provider} is not available in this version")


def _model_file(spec: ModelSpec, base: Path) -> str:
    model = spec.model or DEFAULT
    return str(base / model) if is_path(model) else model


async def _open_embedded(
    name: str,
    spec: ModelSpec,
    server: EmbeddedServer,
    endpoints: dict[tuple[object, ...], tuple[Endpoint, Limiter]],
    stack: AsyncExitStack,
) -> Model:
    url = await server.start()
    served = spec.model_copy(update={"concurrency": min(spec.concurrency, server.parallel)})
    endpoint, limiter = _endpoint(served, url, endpoints, stack)
    send_seed = spec.send_seed if spec.send_seed is not None else True
    client = OpenAICompatible(endpoint, server.name, structured=spec.structured, send_seed=send_seed)
    return Model(name, f"embedded:{server.name}", url, client, limiter, _price(spec) or FREE, server)


def _open_scripted(name: str, spec: ModelSpec, base: Path) -> Model:
    label = spec.model or name
    if spec.answers is None:
        rules, identity = echo_rules(), "echo"
    else:
        path = base / spec.answers
        rules = load_rules(path)
        identity = sha256_file(path)[:16]
    client: ModelClient = ScriptedModel(rules, name=label)
    return Model(name, f"scripted:{label}:{identity}", "", client, Limiter(spec.concurrency), _price(spec) or FREE)


def _endpoint(
    spec: ModelSpec,
    url: str,
    endpoints: dict[tuple[object, ...], tuple[Endpoint, Limiter]],
    stack: AsyncExitStack,
) -> tuple[Endpoint, Limiter]:
    """One endpoint, and one limiter, for all models that share an address and a key."""
    key = (url.rstrip("/"), spec.api_key, tuple(sorted(spec.headers.items())))
    if key not in endpoints:
        endpoint = Endpoint(url, api_key=spec.api_key, headers=spec.headers)
        stack.push_async_callback(endpoint.aclose)
        endpoints[key] = endpoint, Limiter(spec.concurrency)
    return endpoints[key]


def _price(spec: ModelSpec) -> Price | None:
    return None if spec.price is None else Price(spec.price.input, spec.price.output)
