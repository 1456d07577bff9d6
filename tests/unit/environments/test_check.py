"""``check_environment`` finds what breaks an environment's promises."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from synth.environments.check import check_environment
from synth.environments.spec import load_environment
from tests.unit.environments.writing import environment_of, write_environment

GOOD = '''
@tool(writes=True)
def add(state, name: str) -> int:
    """Add a name.

    Args:
        name: What to add.
    """
    state.setdefault("names", []).append(name)
    return len(state["names"])
'''


async def test_a_good_one_is_fit(tmp_path: Path) -> None:
    check = await check_environment(environment_of(tmp_path, GOOD), calls=60)
    assert check.problems == []
    assert check.to_dict()["walk"]["calls"] == 60
    assert check.tools["add"].wrote == check.tools["add"].succeeded > 20
    assert check.tools["add"].refused > 3


@pytest.mark.parametrize(
    ("tools", "declared", "problem"),
    [
        (
            'import random\n@tool\ndef roll(state) -> float:\n    """Roll."""\n    return random.random()\n',
            {},
            "seed 0: the replay is not identical: call 1 (roll) gave another result",
        ),
        (
            'SEEN = []\n@tool(writes=True)\ndef note(state) -> int:\n    """Note."""\n    SEEN.append(1)\n'
            "    state['n'] = len(SEEN)\n    return 1\n",
            {},
            "seed 0: the replay is not identical: call 1 (note) gave another result",
        ),
        (
            '@tool\ndef peek(state) -> int:\n    """Peek."""\n    state["n"] = state.get("n", 0) + 1\n    return 1\n',
            {},
            "seed 0: tool 'peek' changed /n but is not marked as writing; mark it @tool(writes=True)\n    peek {}",
        ),
        (
            GOOD + "import random\ndef make_state(rng):\n    return {'x': random.random()}\n",
            {"state": "make_state"},
            "seed 0 makes another state each time: make_state may use no random numbers but those of rng",
        ),
        (
            GOOD + "def make_state(rng):\n    return [1]\n",
            {"state": "make_state"},
            "no conversation can start: make_state returned no dictionary but list",
        ),
        (
            GOOD + "def make_state(rng):\n    return {'x': {1, 2}}\n",
            {"state": "make_state"},
            "no conversation can start: the state is not plain JSON data: Type is not JSON serializable: set",
        ),
        (
            GOOD + "@invariant\ndef it_holds(state):\n    return False\n",
            {},
            "seed 0: an invariant does not hold at the start: it holds",
        ),
        (
            GOOD,
            {"invariants": {"no names": "names == 3"}},
            "no conversation can start: an invariant raised NameError",
        ),
        (
            GOOD + '@tool\ndef fail(state, name: int) -> int:\n    """Fail."""\n    return 1 // (name - name)\n',
            {},
            "tool 'fail' raised ZeroDivisionError: integer division or modulo by zero",
        ),
        (
            "KNOWN = {}\ndef make_state(rng):\n    return {'id': rng.randrange(1000)}\n"
            '@tool\ndef look(state) -> int:\n    """Look."""\n    return KNOWN.setdefault("id", state["id"])\n',
            {"state": "make_state"},
            "seed 2: after other conversations, call 1 (look) gave another result: something outlives a conversation",
        ),
    ],
)
async def test_a_bad_one_is_not(tmp_path: Path, tools: str, declared: dict[str, object], problem: str) -> None:
    check = await check_environment(environment_of(tmp_path, tools, **declared), calls=75)
    assert any(problem in found for found in check.problems), check.problems


async def test_what_is_worth_a_look(tmp_path: Path) -> None:
    tools = '@tool\ndef never(state, a: int) -> int:\n    """Do."""\n    raise ToolError("no")\n'
    check = await check_environment(environment_of(tmp_path, tools), calls=50)
    assert check.problems == []
    assert check.notes == [
        "never: nothing is said of the parameter 'a'",
        "there is no policy: agents may do whatever the tools let them",
        "never succeeded in the walk: never",
    ]


async def test_a_mock_environment_is_walked_with_made_up_answers(tmp_path: Path) -> None:
    folder = write_environment(tmp_path, mode="mock")
    output = {
        "type": "object",
        "properties": {"celsius": {"type": "number"}, "sky": {"enum": ["clear", "grey"]}},
        "required": ["celsius", "sky"],
    }
    parameters = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
    tools = [{"name": "look", "description": "Look.", "parameters": parameters, "output": output}]
    (folder / "tools.yaml").write_text(yaml.safe_dump({"tools": tools}), encoding="utf-8")
    check = await check_environment(load_environment(folder), calls=50)
    assert check.problems == []
    assert check.tools["look"].succeeded > 10
