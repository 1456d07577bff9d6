"""LSHBloom (arXiv 2411.04257): one Bloom filter a band in one file, so that a corpus is deduplicated in pieces."""

from __future__ import annotations

import math
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from synth.curation.minhash import Banding
from synth.curation.shingles import Hashes, mix
from synth.errors import UsageError
from synth.files import cannot_write

_HEADER = 4096
_FORMAT = "synth LSHBloom 1"


@dataclass(frozen=True, slots=True)
class BloomSize:
    """Filters for ``expected`` texts whose false positives over all ``bands`` are ``overhead`` at most."""

    bands: int
    expected: int
    overhead: float

    @property
    def rate(self) -> float:
        """p = 1 − (1 − p_e)^(1/b), of each filter."""
        return -math.expm1(math.log1p(-self.overhead) / self.bands)

    @property
    def bits(self) -> int:
        """Of one filter: n·(−ln p)/(ln 2)², in whole words of 64."""
        return math.ceil(self.expected * -math.log(self.rate) / math.log(2) ** 2 / 64) * 64

    @property
    def hashes(self) -> int:
        return max(1, round(self.bits / self.expected * math.log(2)))


class BloomIndex:
    """The filters, in memory or in a file that is changed only by :meth:`commit`."""

    def __init__(self, size: BloomSize, words: npt.NDArray[np.uint64]) -> None:
        self.size = size
        self.kept = 0
        self._words = words
        self._flat: Hashes = words.reshape(-1)
        self._path: Path | None = None
        self._header: dict[str, object] = {}

    @classmethod
    def in_memory(cls, size: BloomSize) -> BloomIndex:
        return cls(size, np.zeros((size.bands, size.bits // 64), dtype=np.uint64))

    @classmethod
    def open(cls, path: Path, banding: Banding, threshold: float, expected: int | None, overhead: float) -> BloomIndex:
        """Go on with the index at ``path``, or begin one for ``expected`` texts. What is in it stays as it is until
        ``commit``. Raises ``UsageError`` where it is no such index, or one for another threshold or size."""
        header: dict[str, object] = {"format": _FORMAT, "threshold": threshold, **asdict(banding)}
        work = path.with_name(path.name + ".tmp")
        try:
            if path.exists():
                known = _read_header(path)
                differ = [name for name, value in header.items() if known.get(name) != value]
                if differ or (expected is not None and expected != known["expected"]):
                    was = {name: known.get(name) for name in [*differ, "expected"]}
                    raise UsageError(
                        f"{path} was made with other settings: {', '.join(f'{k} {v}' for k, v in was.items())}",
                        hint="give the same ones, or another --index",
                    )
                size = BloomSize(banding.bands, int(known["expected"]), float(known["overhead"]))
                if path.stat().st_size != _HEADER + size.bands * size.bits // 8:
                    raise UsageError(f"{path} is cut off", hint="restore it, or begin a new --index")
                shutil.copyfile(path, work)
                kept = int(known["kept"])
            else:
                if expected is None:
                    raise UsageError(f"{path} is a new index", hint="say how many texts it is for: --expect 1000000")
                size, kept = BloomSize(banding.bands, expected, overhead), 0
                path.parent.mkdir(parents=True, exist_ok=True)
                with work.open("wb") as file:
                    file.truncate(_HEADER + size.bands * size.bits // 8)
            shape = (size.bands, size.bits // 64)
            words = np.memmap(work, dtype=np.uint64, mode="r+", offset=_HEADER, shape=shape)
        except OSError as error:
            raise cannot_write(path, error) from error
        index = cls(size, words)
        index._path, index.kept = path, kept
        index._header = header | {"expected": size.expected, "overhead": size.overhead}
        return index

    def contains(self, bands: Hashes) -> npt.NDArray[np.bool_]:
        """For hashes (texts × bands) whether each is in its band's filter: all that were added, and few others."""
        found = np.zeros(bands.size, dtype=np.bool_)
        alive, hashes, offsets = np.arange(bands.size), bands.ravel(), self._offsets(len(bands))
        second = _second(hashes)
        for turn in range(self.size.hashes):
            word, bit = self._place(hashes, second, offsets, turn)
            hit = (self._flat[word] >> bit) & np.uint64(1) == 1
            alive, hashes, second, offsets = alive[hit], hashes[hit], second[hit], offsets[hit]
            if not len(alive):
                break
        found[alive] = True
        return found.reshape(bands.shape)

    def add(self, bands: Hashes) -> None:
        hashes, offsets = bands.ravel(), self._offsets(len(bands))
        second = _second(hashes)
        for turn in range(self.size.hashes):
            word, bit = self._place(hashes, second, offsets, turn)
            np.bitwise_or.at(self._flat, word, np.uint64(1) << bit)
        self.kept += len(bands)

    def commit(self) -> None:
        """Put what has been added in place of what was there."""
        if self._path is None or not isinstance(self._words, np.memmap):
            return
        work = self._path.with_name(self._path.name + ".tmp")
        self._words.flush()
        header = orjson.dumps(self._header | {"kept": self.kept})
        with work.open("r+b") as file:
            file.write(header.ljust(_HEADER, b" "))
        work.replace(self._path)

    def discard(self) -> None:
        """Leave what was there."""
        if self._path is not None:
            self._path.with_name(self._path.name + ".tmp").unlink(missing_ok=True)

    def _offsets(self, texts: int) -> npt.NDArray[np.int64]:
        return np.tile(np.arange(self.size.bands) * (self.size.bits // 64), texts)

    def _place(
        self, hashes: Hashes, second: Hashes, offsets: npt.NDArray[np.int64], turn: int
    ) -> tuple[npt.NDArray[np.int64], Hashes]:
        """Word and bit, by double hashing (Kirsch and Mitzenmacher 2006)."""
        position = (hashes + np.uint64(turn) * second) % np.uint64(self.size.bits)
        return (position >> np.uint64(6)).astype(np.int64) + offsets, position & np.uint64(63)


def _second(hashes: Hashes) -> Hashes:
    return mix(hashes ^ np.uint64(0x5851F42D4C957F2D)) | np.uint64(1)


def _read_header(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        head = file.read(_HEADER)
    try:
        known: dict[str, Any] = orjson.loads(head)
    except orjson.JSONDecodeError:
        known = {}
    if known.get("format") != _FORMAT:
        raise UsageError(f"{path} is no index of synth dedup", hint="give another --index")
    return known
