"""Checks `decode`: whether the models that write give their logits, and whether there is anything to contrast."""

from __future__ import annotations

from synth.messages import Json
from synth.recipe.plain import mapping
from synth.recipe.problems import Problems
from synth.recipe.writers import writing_models, writing_roles
from synth.recipe.yaml import KeyPath

_WITH_LOGITS = ("vllm", "transformers")


def check_decode(at: KeyPath, generator: Json, data: Json, problems: Problems) -> None:
    """Add a problem where the generator at ``at`` cannot decode as it says."""
    decode, models = mapping(generator.get("decode")), mapping(data.get("models"))
    if not decode or not models:
        return
    if writing_roles(generator) == ():
        problems.at_key((*at, "decode"), f"'decode' means nothing for kind {generator['kind']}")
        return
    used = set(writing_models(generator, next(iter(models))))
    for name in sorted(used & models.keys()):
        provider = mapping(models[name]).get("provider")
        if provider not in _WITH_LOGITS:
            problems.at_key(
                (*at, "decode"),
                f"'decode' needs a model's logits, and the model {name!r} (provider {provider}) gives none",
                "use provider vllm or transformers, or `diversity:`, which steers without logits",
            )
    label = decode.get("label", "label")
    if decode.get("contrast") == "cross" and label not in mapping(data.get("axes")) and data.get("seeds") is None:
        problems.at_key(
            (*at, "decode"),
            f"contrast cross needs labels, and the recipe has no axis {label!r}",
            "name the axis in decode.label, or choose contrast: intra",
        )
