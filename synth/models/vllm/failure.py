"""Why a vLLM server did not start, read from its log, in one line with what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    message: str
    hint: str


_KNOWN: tuple[tuple[re.Pattern[str], str, str], ...] = (
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
        re.compile(r"died unexpectedly \(exit code: -9\)|Failed core proc\(s\): \{[^}]*: -9"),
        "the system killed it, most likely for want of memory",
        "close other programs, or use a smaller model",
    ),
    (
        re.compile(r"No space left on device"),
        "the disk is full",
        "free some space; HF_HOME in `env` puts what comes from the hub elsewhere",
    ),
    (
        re.compile(r"GatedRepoError|Access to model \S+ is restricted|You are trying to access a gated repo"),
        "the hub gives {model!r} only to those who have accepted its terms",
        "accept them on the model's page, and give `env: {{HF_TOKEN: ${{HF_TOKEN}}}}`",
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
    (
        re.compile(r"^(?P<what>(?:ImportError|ModuleNotFoundError): .+)$", re.M),
        "the vLLM in {python} does not work there ({what})",
        "install it anew, in a virtual environment of its own, and name that with `python:`",
    ),
)
_PORT_TAKEN = re.compile(r"Address already in use|Errno 98")


def port_is_taken(log: str) -> bool:
    """Whether it did not start because another program has its port."""
    return _PORT_TAKEN.search(log) is not None


def explain_failure(log: str, *, model: str, python: str) -> Explanation | None:
    """The explanation for the end of a start-up log, or None for what is not known."""
    for pattern, message, hint in _KNOWN:
        found = pattern.search(log)
        if found is not None:
            groups = found.groupdict(default="")
            what = (groups.get("what") or groups.get("also") or "").strip()
            words = {"what": what[:200], "most": groups.get("most", ""), "model": model, "python": python}
            return Explanation(message.format(**words), hint.format(**words))
    return None
