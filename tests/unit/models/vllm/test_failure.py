"""The lines are from real logs of vLLM 0.32 on a CPU."""

import pytest

from synth.models.vllm.failure import explain_failure, port_is_taken

KV = (
    "RuntimeError: Worker failed with error 'Available memory on node 0 (13.13/17.71 GiB) on kv cache allocation is"
    " less than requested memory for kv (500.0 GiB). Decrease --kv-cache-memory-bytes, VLLM_CPU_KVCACHE_SPACE'"
)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "ImportError: libcudart.so.13: cannot open shared object file: No such file or directory",
            "the vLLM in /venv/bin/python does not work there (ImportError: libcudart.so.13",
        ),
        (
            "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): "
            "{'EngineCore': -9}",
            "the system killed it, most likely for want of memory",
        ),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        (
            "huggingface_hub.errors.GatedRepoError: 401 Client Error.",
            "the hub gives 'some/model' only to those who have accepted its terms",
        ),
        (
            "api_server.py: error: unrecognized arguments: --no-such-option",
            "vLLM does not know these arguments: --no-such-option",
        ),
        (
            "  Value error, User-specified max_model_len (120000) is greater than the derived max_model_len "
            "(max_position_embeddings=32768.0 or model_max_length=None in model's config.json).",
            "a context of 120000 tokens is more than the model was made for",
        ),
        (KV, "there is not enough memory: Available memory on node 0"),
        (
            "  Value error, Invalid repository ID or local directory specified: '/tmp/x'.",
            "there is no model 'some/model'",
        ),
        (
            "LocalEntryNotFoundError: Cannot find an appropriate cached snapshot folder for the specified revision",
            "there is no model 'some/model'",
        ),
        (
            "The checkpoint you are trying to load has model type `foo` but Transformers does not recognize this",
            "this vLLM does not know models of the kind foo",
        ),
    ],
)
def test_known_failures_have_one_line(line: str, message: str) -> None:
    found = explain_failure(f"INFO start\n{line}\nINFO end", model="some/model", python="/venv/bin/python")
    assert found is not None
    assert found.message.startswith(message)
    assert found.hint


def test_a_taken_port_is_told_apart() -> None:
    assert port_is_taken("OSError: [Errno 98] Address already in use")
    assert not port_is_taken(KV)


def test_what_is_not_known_is_left_to_the_log() -> None:
    assert explain_failure("Segmentation fault", model="m", python="p") is None
