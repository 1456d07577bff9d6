"""Stands in for the embedded server: the same arguments and report, no model. A file named ``broken`` beside the model
keeps it from starting; one named ``loads slowly`` delays that; one named ``hangs`` makes it answer nothing, once."""

from __future__ import annotations

import argparse
import http.server
import json
import os
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
for option in ("--model", "--alias", "--parallel", "--context", "--threads", "--port"):
    parser.add_argument(option, required=True)
options = parser.parse_args()
folder = Path(options.model).parent


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if (folder / "hangs").exists():
            (folder / "hangs").unlink()
            time.sleep(60)
        body = json.dumps({"pid": os.getpid(), **vars(options)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


if (folder / "broken").exists():
    sys.exit("E srv load_model: failed to load model")
if (folder / "loads slowly").exists():
    time.sleep(60)
server = http.server.HTTPServer(("127.0.0.1", int(options.port)), Handler)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
