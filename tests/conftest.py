"""For all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says how busy the machine is, not whether the code is right.
# The same examples each time: a change is judged by what it changes. `--hypothesis-profile explore` looks further.
settings.register_profile("synth", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("synth")
