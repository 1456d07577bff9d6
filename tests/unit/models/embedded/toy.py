"""A toy model, its part packages, and a machine to pull it on."""

from __future__ import annotations

import base64
import hashlib
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from synth.models.embedded import registry
from synth.models.embedded.registry import EmbeddedModel, HubFile, Part
from synth.models.progress import ModelState, Warned

CONTENT = b"GGUF" + random.Random(7).randbytes(3 * 2**20)  # more than one block a part
SIZES = (2**20 + 17, 2**20, len(CONTENT) - 2**21 - 17)


def make_model(content: bytes = CONTENT, sizes: tuple[int, ...] = SIZES) -> EmbeddedModel:
    return EmbeddedModel(
        name="toy",
        title="A toy",
        file="toy.gguf",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        licence="CC0-1.0",
        context_length=256,
        trained_context=512,
        parts=tuple(
            Part(f"toy-part{i}", "1.0", f"toy_part{i}/data/part0{i}.bin", size) for i, size in enumerate(sizes, 1)
        ),
        hub=HubFile("toys/toy", "abc", "toy.gguf"),
        notes="",
    )


def members(model: EmbeddedModel, content: bytes = CONTENT) -> Iterator[tuple[Part, bytes]]:
    start = 0
    for part in model.parts:
        yield part, content[start : start + part.size]
        start += part.size


def metadata(part: Part) -> str:
    return f"Metadata-Version: 2.1\nName: {part.package}\nVersion: {part.version}\n"


def install_parts(model: EmbeddedModel, folder: Path, content: bytes = CONTENT) -> None:
    """Lay the parts out as pip would; importing one of them is an error."""
    for part, data in members(model, content):
        file = folder / part.member
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
        (file.parents[1] / "__init__.py").write_text("raise AssertionError('a part package was imported')\n")
        info = folder / f"{part.package.replace('-', '_')}-{part.version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(metadata(part))


def build_wheels(model: EmbeddedModel, folder: Path, content: bytes = CONTENT) -> None:
    for part, data in members(model, content):
        stem = f"{part.package.replace('-', '_')}-{part.version}"
        files = {
            part.member: data,
            f"{stem}.dist-info/METADATA": metadata(part).encode(),
            f"{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(
            f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
            for name, data in files.items()
        )
        files[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n".encode()
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
            for name, data in files.items():
                wheel.writestr(name, data)


@dataclass
class World:
    """A machine with a cache, a registry of one model, an empty package index and no hub."""

    model: EmbeddedModel
    site: Path
    index: Path
    cache: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def path(self) -> Path:
        return self.cache / "models" / self.model.file

    def pin(self, **changes: object) -> None:
        """Change the registry's model."""
        self.model = replace(self.model, **changes)  # type: ignore[arg-type]
        self.monkeypatch.setattr(registry, "MODELS", (self.model,))


class Events(list[ModelState | Warned]):
    """A report that remembers."""

    def __call__(self, event: ModelState | Warned) -> None:
        self.append(event)

    @property
    def warnings(self) -> list[str]:
        return [event.message for event in self if isinstance(event, Warned)]

    @property
    def phases(self) -> list[str]:
        states = [event.phase for event in self if isinstance(event, ModelState)]
        return [phase for i, phase in enumerate(states) if i == 0 or states[i - 1] != phase]
