"""Stands in for ``vllm.entrypoints.openai.api_server``: the same arguments and routes, no model.

Files in ``FAKE_VLLM`` say how it behaves: ``log`` is printed at the start, which then takes a second, and with
``broken`` it ends there; ``hangs`` makes its engine answer nothing, ``fails`` makes it answer 500, ``busy`` lets others
have all the tokens. It adds its arguments and some of its environment to ``starts``.
"""

from __future__ import annotations

import argparse
import http.server
import importlib.util
import itertools
import json
import os
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
for option in ("--model", "--served-model-name", "--host", "--max-model-len", "--dtype"):
    parser.add_argument(option)
parser.add_argument("--port", type=int)
parser.add_argument("--logits-processors", nargs="+")
parser.add_argument("--disable-uvicorn-access-log", action="store_true")
parser.add_argument("--enforce-eager", action="store_true")
options = parser.parse_args()
folder = Path(os.environ["FAKE_VLLM"])
tokens = itertools.count()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/metrics":
            made = next(tokens) if (folder / "busy").exists() else 7
            self._answer(f'# HELP x\nvllm:generation_tokens_total{{engine="0"}} {made}.0\n'.encode())
        else:
            self._answer(b"{}")

    def do_POST(self) -> None:
        if (folder / "hangs").exists() or (folder / "busy").exists():
            time.sleep(5)
        self._answer(b"{}", 500 if (folder / "fails").exists() else 200)

    def _answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


with (folder / "starts").open("a") as starts:
    known: dict[str, object] = {
        name: os.environ.get(name) for name in ("HF_HUB_OFFLINE", "VLLM_CPU_KVCACHE_SPACE", "MINE")
    }
    if options.logits_processors:
        where = importlib.util.find_spec(options.logits_processors[0].partition(":")[0])
        known["plugin"] = str(Path(where.origin or "").resolve()) if where is not None else None
    starts.write(json.dumps({"pid": os.getpid(), **vars(options), **known}) + "\n")
if (folder / "log").exists():
    print((folder / "log").read_text(), file=sys.stderr, flush=True)
if (folder / "broken").exists():
    sys.exit(1)
if (folder / "log").exists():
    time.sleep(1)
try:
    server = http.server.ThreadingHTTPServer((options.host, options.port), Handler)
except OSError as error:
    sys.exit(f"OSError: [Errno {error.errno}] Address already in use")
server.serve_forever()
