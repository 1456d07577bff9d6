"""Why a vLLM server did not start, read from its log, in one line with what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """``port_taken``: another port may do."""

    message: str
    hint: str
    port_taken: bool = False


_KNOWN: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"No module named '?vllm\b'?"),
        "there is no vLLM in the Python that should run it",
        "install it there ({python} -m pip install vllm), or name another with `python:`",
    ),
    (
        re.compile(r"unrecognized arguments: (?P<what>.+)"),
        "vLLM does not know these arguments: {what}",
        "mend `args`; {python} -m vllm.entrypoints.openai.api_server --help lists them",
    ),
    (
        re.compile(
            r"User-specified max_model_len \((?P<what>\d+)\) is greater than the derived max_model_len"
            r" \((?P<most>[^)]*)\)"
        ),
        "a context of {what} tokens is more than the model was made for ({most})",
        "lower `context_length` (or --max-model-len in `args`)",
    ),
    (
        re.compile(
            r"(?P<what>(?:Available|Free) memory on (?:node|device)[^\n]*?less than[^\n]*?(?=\. |$)"
            r"|No available memory for the cache blocks|[^\n]*larger than the available KV cache memory[^\n.]*"
            r"|CUDA out of memory[^\n.]*|Cannot allocate memory)",
            re.M,
        ),
        "there is not enough memory: {what}",
        "lower `context_length`, or --gpu-memory-utilization in `args`; on a CPU give the GiB for the cache in `env`: "
        "{{VLLM_CPU_KVCACHE_SPACE: '2'}}",
    ),
    (
        re.compile(
            r"Invalid repository ID or local directory|Cannot find an appropriate cached snapshot"
            r"|is not a valid model identifier|Repository Not Found|couldn't connect to"
        ),
        "there is no model {model!r}, neither as a folder here nor on a hub that can be reached",
        "give `model` as a folder with config.json and safetensors, or a name that the hub knows",
    ),
    (
        re.compile(
            r"model type `(?P<what>[^`]+)` but Transformers does not recognize|Model architectures \[(?P<also>[^]]+)\]"
        ),
        "this vLLM does not know models of the kind {what}",
        "use a newer vLLM (`python:`), or another model",
    ),
)
_PORT_TAKEN = re.compile(r"Address already in use|Errno 98")


def explain_failure(log: str, *, model: str, python: str) -> Explanation | None:
    """The explanation for the end of a start-up log, or None for what is not known."""
    if _PORT_TAKEN.search(log):
        return Explanation("its port is in use", "run the same command again", port_taken=True)
    for pattern, message, hint in _KNOWN:
        found = pattern.search(log)
        if found is not None:
            groups = found.groupdict(default="")
            what = (groups.get("what") or groups.get("also") or "").strip()
            words = {"what": what[:200], "most": groups.get("most", ""), "model": model, "python": python}
            return Explanation(message.format(**words), hint.format(**words))
    return None
