"""The embedded model's server process: llama.cpp's own OpenAI-compatible server, on loopback.

    python -m synth.models.embedded.server --model FILE --alias NAME --parallel N --context TOKENS --threads N

When the model is loaded it writes one line of JSON to standard output, ``{"port": N}``, and serves until it is killed.
It is a process of its own because llama.cpp holds the interpreter while it loads, and takes the process down with it
when it fails. Everything that it says goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
from urllib.parse import urlsplit


def main() -> None:
    parser = argparse.ArgumentParser(prog="synth.models.embedded.server", description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--alias", required=True)
    parser.add_argument("--parallel", type=int, required=True)
    parser.add_argument("--context", type=int, required=True, help="tokens of one request, answer included")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    options = parser.parse_args()
    report = os.dup(1)
    os.dup2(2, 1)  # what native code prints belongs in the log, and only our report in the pipe

    # Threads meet at hundreds of barriers a token. Those that wait for long spins take the core from the thread they
    # wait for as soon as anything else runs on this machine: four times slower beside one other busy process.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.model_alias = {options.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.n_parallel = options.parallel
    params.n_ctx = options.parallel * options.context
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.use_jinja = True
    params.cache_ram_mib = 256  # prompts whose slot was taken by another: a beginning they share is read once
    params.cache_idle_slots = False
    params.fit_params = False  # what was asked for, or an error: never a silently smaller context
    params.ui = False
    params.endpoint_slots = False  # they tell anyone on this machine the prompts
    params.cors_origins = ""  # no web page may read answers
    server = xllamacpp.Server(params)

    port = urlsplit(server.listening_address).port
    os.write(report, json.dumps({"port": port}).encode() + b"\n")
    os.close(report)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
