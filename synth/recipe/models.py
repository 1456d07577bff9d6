"""Models as a recipe names them: where each runs, how it samples, what it may cost."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from synth.recipe.base import URL, Number, Spec, Whole

Provider = Literal["embedded", "openai", "vllm", "transformers", "scripted"]


_ONE_ANSWER = "synth reads one whole answer a request"
_OWN_FIELDS = {
    "max_tokens": "use sampling.max_tokens, which budgets reserve by",
    "max_completion_tokens": "use sampling.max_tokens, which budgets reserve by",
    "temperature": "use sampling.temperature",
    "top_p": "use sampling.top_p",
    "stop": "use sampling.stop",
    "seed": "use the model's send_seed",
    "model": "use the model's own field `model`",
    "messages": "they come from prompts",
    "tools": "they come from the environment",
    "tool_choice": "it comes with the tools",
    "response_format": "use a step's `schema`, and the model's `structured`",
    "logprobs": "synth asks for them where it reads them",
    "top_logprobs": "synth asks for them where it reads them",
    "n": f"{_ONE_ANSWER}; `count` says how many examples are made",
    "best_of": _ONE_ANSWER,
    "stream": _ONE_ANSWER,
    "stream_options": _ONE_ANSWER,
}


def _refuse_own_field(name: str) -> str:
    if name in _OWN_FIELDS:
        raise PydanticCustomError("own_field", f"cannot be in extra_body: {_OWN_FIELDS[name]}")
    return name


class SamplingSpec(Spec):
    temperature: Number | None = Field(None, ge=0, le=5)
    """Softmax temperature; 0 is greedy. Unset: the server's default."""
    top_p: Number | None = Field(None, gt=0, le=1)
    """Nucleus: sample from the smallest set of tokens with this probability in all."""
    max_tokens: Whole | None = Field(None, ge=1, le=1_000_000)
    """Most tokens of one answer. Budgets reserve by it. Unset: 1024, or what the agent's step needs."""
    stop: list[str] = []
    """Texts that end an answer."""
    extra_body: dict[Annotated[str, AfterValidator(_refuse_own_field)], Any] = {}
    """Further fields for the request body, passed on as they are (for example `top_k`, `chat_template_kwargs`). Those
    that synth sets itself are refused."""


class LimitsSpec(Spec):
    rpm: Whole | None = Field(None, ge=1)
    """Most requests a minute."""
    tpm: Whole | None = Field(None, ge=1)
    """Most tokens a minute, input and output together."""


class PriceSpec(Spec):
    input: Number = Field(ge=0)
    """USD per million input tokens."""
    output: Number = Field(ge=0)
    """USD per million output tokens."""


BATCH_CONCURRENCY = 2000


class ModelSpec(Spec):
    provider: Provider
    """`embedded`: a small model that synth runs itself. `openai`: any OpenAI-compatible endpoint. `vllm`: a vLLM
    server, running (`base_url`) or started by synth. `transformers`: in this process. `scripted`: answers from a file,
    no model."""
    model: str | None = None
    """The model's name at the endpoint; embedded: a name from `synth models list`, or a path to a .gguf file."""
    base_url: str | None = Field(None, pattern=URL)
    """The endpoint, up to and including `/v1`."""
    api_key: str | None = None
    """Use `${VAR}`: keys are read from the environment and never stored."""
    headers: dict[str, str] = {}
    """Further HTTP headers of every request; treated as secrets."""
    sampling: SamplingSpec = SamplingSpec()
    """Sampling for every agent that uses this model, unless its step says otherwise."""
    concurrency: Whole = Field(64, ge=1, le=4096)
    """Most requests in flight; the engine adapts below it. With `batch`: most in one batch, 2000 where it is unset."""
    limits: LimitsSpec = LimitsSpec()
    """The endpoint's quota, where it has one."""
    timeout: Number = Field(120, gt=0, le=86_400)
    """Seconds without any sign of life after which one response counts as lost; also one that comes in parts for ten
    times as long."""
    price: PriceSpec | None = None
    """Unset: looked up for known hosted models, 0 for models that run here."""
    structured: Literal["auto", "json_schema", "json_object", "prompt"] = "auto"
    """How a JSON Schema is asked for. `auto` tries the strictest first and remembers what the endpoint takes."""
    send_seed: bool | None = None
    """Send a `seed` with every request. Unset: where it is known to work."""
    context_length: Whole | None = Field(None, ge=128)
    """Tokens of prompt and answer together. Unset: learned from the server where it tells."""
    batch: bool = False
    """Use the endpoint's Batch API: about half the price, and hours until the answers come. Budgets count the full
    price, unless `price` says what a batch costs."""
    args: list[str] = []
    """vllm: further arguments of the server that synth starts. embedded: none."""
    env: dict[str, str] = {}
    """vllm: environment variables of the server that synth starts."""
    python: str | None = None
    """vllm: the Python of the virtual environment that holds vLLM. Unset: this one."""
    answers: str | None = None
    """scripted: a YAML file of rules (see docs), relative to the recipe."""

    @model_validator(mode="before")
    @classmethod
    def _fill_batches(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("batch") is True and "concurrency" not in data:
            return {**data, "concurrency": BATCH_CONCURRENCY}
        return data
