"""What speakers are called in other people's chats, and which of our roles that is."""

from __future__ import annotations

import re

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "customer": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "agent": "assistant",
    "model": "assistant",
    "function_call": "function_call",
    "observation": "tool",
    "function": "tool",
    "tool": "tool",
}
LOG_LINE = re.compile(
    rf"^[^\w\n]*({'|'.join(name for name in ROLES if name != 'function_call')})[^\w\n]*?:[*_]*[ \t]*", re.I | re.M
)
"""Where a message begins in a log of ``role: text``."""
