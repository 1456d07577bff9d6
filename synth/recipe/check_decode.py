"""Checks `decode`: whether the models that write give their logits, and whether there is anything to contrast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from synth.messages import Json
from synth.recipe.kinds.union import KINDS
from synth.recipe.plain import listing, mapping
from synth.recipe.problems import Problems
from synth.recipe.yaml import KeyPath

_WITH_LOGITS = ("vllm", "transformers")
_PLUGIN = "synth.models.corrsynth.vllm_plugin:CorrSynth"


def check_decode(at: KeyPath, generator: Json, data: Json, problems: Problems) -> None:
    """Add a problem where the generator at ``at`` cannot decode as it says."""
    decode, models = mapping(generator.get("decode")), mapping(data.get("models"))
    if not decode or not models:
        return
    spec = KINDS.get(str(generator.get("kind")))
    writers = spec.writers if spec is not None else None
    if writers == ():
        problems.at_key((*at, "decode"), f"'decode' means nothing for kind {generator['kind']}")
        return
    used = set(_writing_models(generator, writers, next(iter(models))))
    for name in sorted(used & models.keys()):
        provider = mapping(models[name]).get("provider")
        if provider not in _WITH_LOGITS:
            problems.at_key(
                (*at, "decode"),
                f"'decode' needs a model's logits, and the model {name!r} (provider {provider}) gives none",
                "use provider vllm or transformers, or `diversity:`, which steers without logits",
            )
        elif provider == "vllm" and _lacks_plugin(mapping(models[name])):
            problems.at_key(
                (*at, "decode"),
                f"'decode' needs a plugin in vLLM, and the model {name!r} starts one without it",
                f"args: [--logits-processors, '{_PLUGIN}'], and in env a PYTHONPATH on which that vLLM finds synth",
            )
    label = decode.get("label", "label")
    if decode.get("contrast") == "cross" and label not in mapping(data.get("axes")) and data.get("seeds") is None:
        problems.at_key(
            (*at, "decode"),
            f"contrast cross needs labels, and the recipe has no axis {label!r}",
            "name the axis in decode.label, or choose contrast: intra",
        )


def _lacks_plugin(model: Json) -> bool:
    """Whether synth would start this vLLM without the plugin; a server that runs elsewhere cannot be asked here."""
    return model.get("base_url") is None and "--logits-processors" not in listing(model.get("args"))


def _writing_models(generator: Json, writers: tuple[str, ...] | None, default: str) -> Iterator[str]:
    if writers is not None:
        agents = mapping(generator.get("agents"))
        yield from (_model(agents.get(role), default) for role in writers)
    elif steps := listing(generator.get("steps")):
        yield from (_model(mapping(step).get("agent"), default) for step in steps)
    else:
        yield from (_model(agent, default) for agent in mapping(generator.get("agents")).values() or [None])


def _model(agent: Any, default: str) -> str:
    return agent if isinstance(agent, str) else str(mapping(agent).get("model", default))
