"""A journal in memory, for tests of what stands above it."""

from __future__ import annotations

from synth.models.caller import CallRecord
from synth.models.client import Request


class MemoryJournal:
    def __init__(self) -> None:
        self.records: dict[tuple[str, str], CallRecord] = {}

    async def find_call(self, call_id: str, fingerprint: str, request: Request) -> CallRecord | None:
        return self.records.get((call_id, fingerprint))

    async def record_call(self, record: CallRecord) -> None:
        self.records[record.id, record.fingerprint] = record
