"""Frames on a stream socket: four bytes of length (big endian), then the content. One frame is under way at a time."""

from __future__ import annotations

import socket

_HEADER = 4
CHUNK = 1 << 16


class Frame:
    """Puts one frame together from what arrives."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, received: bytes) -> bytes | None:
        """The content once it is complete."""
        self._bytes += received
        if len(self._bytes) < _HEADER or len(self._bytes) < _HEADER + int.from_bytes(self._bytes[:_HEADER]):
            return None
        return bytes(self._bytes[_HEADER:])


def framed(content: bytes) -> bytes:
    return len(content).to_bytes(_HEADER) + content


def write_frame(channel: socket.socket, content: bytes) -> None:
    channel.sendall(framed(content))


def read_frame(channel: socket.socket) -> bytes | None:
    """The next frame of a blocking socket; None when the other side has hung up."""
    frame = Frame()
    while received := channel.recv(CHUNK):
        if (content := frame.feed(received)) is not None:
            return content
    return None
