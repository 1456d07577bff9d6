"""``env.yaml``: what is wrong is said at its line, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.environments.arguments import ArgumentSchema
from synth.environments.authoring import ToolError
from synth.environments.spec import find_environment, load_environment
from synth.errors import RecipeError, UsageError

HEAD = "name: made\ndescription: For a test.\n"
TOOLS = 'from synth.environments import tool\n\n@tool\ndef look(state) -> int:\n    """Look."""\n    return 1\n'


def _write(folder: Path, text: str) -> Path:
    (folder / "env.yaml").write_text(text, encoding="utf-8")
    (folder / "tools.py").write_text(TOOLS, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        (HEAD + "tols: tools.py\n", 3, "unknown key 'tols'", "did you mean 'tools'?"),
        (HEAD + "limits: {second: 3}\n", 3, "unknown key 'second'", "did you mean 'seconds'?"),
        ("description: For a test.\n", 1, "'name' is missing", ""),
        (HEAD + "mode: pyton\n", 3, "'mode' must be 'python', 'mock' or 'live', got 'pyton'", "did you mean 'python'?"),
        (HEAD + "policy: policy.md\n", 3, "there is no file 'policy.md' in {folder}", "write it, or mend 'policy'"),
        (HEAD + "tools: other.py\n", 3, "there is no file 'other.py' in {folder}", "write it, or mend 'tools'"),
        (HEAD + "state: data.json\n", 3, "there is no file 'data.json' in {folder}", "write it, or mend 'state'"),
        (
            HEAD + "faults: {timeout: 0.6, partial: 0.6}\n",
            3,
            "'faults': the shares add up to 1.2; they may be 1 at most",
            "",
        ),
        (HEAD + "faults: {timeout: 2}\n", 3, "'timeout' must be at most 1.0, got 2", ""),
        (
            HEAD + "mode: live\n",
            3,
            "mode live needs 'server'",
            "server: {command: [program, argument]} or {url: http://…}",
        ),
        (HEAD + "server: {url: 'http://x'}\n", 3, "mode python uses no server", "remove it, or set mode: live"),
        (HEAD + "mode: live\nserver: {}\n", 4, "'server': give either command or url", ""),
        (HEAD + "name: again\n", 3, "the key 'name' is given twice: first on line 1", ""),
        (HEAD + "x: [\n", 4, "", ""),
    ],
)
def test_mistakes(tmp_path: Path, text: str, line: int, message: str, hint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_environment(_write(tmp_path, text))
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == (str(tmp_path / "env.yaml"), line)
    if message:
        assert (problem.message, problem.hint) == (message.format(folder=tmp_path), hint)


def test_a_state_file_of_200_mb(tmp_path: Path) -> None:
    _write(tmp_path, HEAD + "state: state.json\n")
    with (tmp_path / "state.json").open("wb") as file:
        file.truncate(200 << 20)
    with pytest.raises(RecipeError) as caught:
        load_environment(tmp_path)
    (problem,) = caught.value.problems
    assert problem.message == "state.json has 200 MiB; a state may have 16 MiB at most"
    assert problem.line == 3


@pytest.mark.parametrize(
    ("state", "where", "message"),
    [
        ('{\n "a": 1,\n}', (2, 8), "it is not JSON: "),
        ("[1]", (1, 1), "the state must be a JSON object"),
    ],
)
def test_a_state_file_that_is_no_state(tmp_path: Path, state: str, where: tuple[int, int], message: str) -> None:
    _write(tmp_path, HEAD + "state: state.json\n")
    (tmp_path / "state.json").write_text(state, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_environment(tmp_path)
    (problem,) = caught.value.problems
    assert problem.file == str(tmp_path / "state.json")
    assert (problem.line, problem.column) == where
    assert problem.message.startswith(message)


def test_the_fingerprint_covers_every_file(tmp_path: Path) -> None:
    _write(tmp_path, HEAD + "policy: policy.md\n")
    (tmp_path / "policy.md").write_text("Be kind.", encoding="utf-8")
    (tmp_path / "helpers.py").write_text("x = 1\n", encoding="utf-8")
    seen = {load_environment(tmp_path).fingerprint}
    for name in ("policy.md", "helpers.py", "tools.py", "env.yaml"):
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write("# more\n")
        seen.add(load_environment(tmp_path).fingerprint)
    for name in ("names.json", "lib/fees.py", "lib/fees.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1\n", encoding="utf-8")
        seen.add(load_environment(tmp_path).fingerprint)
    assert len(seen) == 8
    for name in (".notes", "lib/__pycache__"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.pyc").write_bytes(b"1")
    assert load_environment(tmp_path).fingerprint in seen


def test_what_a_server_writes_into_its_folder_makes_no_other_world(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").write_text(HEAD + "mode: live\nserver: {command: [x]}\n", encoding="utf-8")
    before = load_environment(tmp_path).fingerprint
    (tmp_path / "notes.json").write_text("[]", encoding="utf-8")
    assert load_environment(tmp_path).fingerprint == before


DECLARED = """\
tools:
  - name: ship
    description: Ships a parcel.
    parameters:
      type: object
      $defs: {Address: {type: object, properties: {street: {type: string}}, required: [street]}}
      properties:
        parcel: {type: string}
        back_to: {$ref: "#/$defs/Address"}
      required: [parcel]
"""


def test_references_in_declared_tools_are_resolved(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").write_text(HEAD + "mode: mock\n", encoding="utf-8")
    (tmp_path / "tools.yaml").write_text(DECLARED, encoding="utf-8")
    (ship,) = load_environment(tmp_path).declared
    assert "$" not in str(ship.tool.parameters)
    schema = ArgumentSchema(ship.tool.parameters)
    assert schema.parse('{"parcel": "P1", "back_to": null}') == {"parcel": "P1"}
    with pytest.raises(ToolError, match=r"'back_to\.street' is missing"):
        schema.parse('{"parcel": "P1", "back_to": {}}')


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("#/$defs/Adress", "a $ref leads to 'Adress', which is not under '$defs' here"),
        ("#/$defs/Loop", "this cannot be written without $ref: Loop contains itself"),
    ],
)
def test_a_reference_that_leads_nowhere_or_to_itself(tmp_path: Path, reference: str, message: str) -> None:
    loop = DECLARED.replace("$defs: {", '$defs: {Loop: {anyOf: [{type: string}, {$ref: "#/$defs/Loop"}]}, ')
    (tmp_path / "env.yaml").write_text(HEAD + "mode: mock\n", encoding="utf-8")
    (tmp_path / "tools.yaml").write_text(loop.replace("#/$defs/Address", reference), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_environment(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.line, problem.message) == (5, message)


def test_a_servers_schema_may_refer_to_its_own_parts() -> None:
    parameters = {"type": "object", "properties": {"a": {"$ref": "#/definitions/A"}}}
    schema = ArgumentSchema({**parameters, "definitions": {"A": {"type": "integer"}}})
    assert schema.parse('{"a": null}') == {}


def test_a_name_or_a_path(tmp_path: Path) -> None:
    (tmp_path / "envs" / "mine").mkdir(parents=True)
    _write(tmp_path / "envs" / "mine", HEAD)
    assert find_environment("mine", tmp_path) == tmp_path / "envs" / "mine"
    assert find_environment("envs/mine", tmp_path) == tmp_path / "envs" / "mine"
    with pytest.raises(UsageError, match="there is no environment 'yours'"):
        find_environment("yours", tmp_path)
    with pytest.raises(UsageError, match=r"has no env\.yaml"):
        find_environment("envs", tmp_path)
