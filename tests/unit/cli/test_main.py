"""What is common to all commands: help, errors, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from synth.cli import main as cli_main
from synth.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE

from .conftest import Synth


def modules_after(*words: str) -> set[str]:
    """Top-level modules that a command has imported by its end."""
    code = (
        "import sys\n"
        "from synth.cli.main import main\n"
        f"sys.argv = ['synth', *{list(words)!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        "print('\\n' + ' '.join(sys.modules), file=sys.stderr)\n"
    )
    root = str(Path(cli_main.__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": root}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stderr.split("\n")[-2].split()}


def test_help_imports_nothing_heavy() -> None:
    heavy = {"torch", "transformers", "faiss", "openai", "aiohttp", "pydantic", "jinja2", "rich", "yaml", "orjson"}
    assert not modules_after("--help") & heavy


def test_validate_imports_no_library_of_models(recipe: Path) -> None:
    heavy = {"torch", "transformers", "faiss", "openai", "aiohttp", "rich"}
    assert not modules_after("validate", str(recipe)) & heavy


def test_every_command_listed_exists_and_helps(synth: Synth) -> None:
    listed = synth("--help")
    assert listed.code == 0
    for name in cli_main._COMMANDS:
        assert f"  {name} " in listed.out
        assert synth(name, "--help").code == 0


def test_an_unknown_command_names_the_nearest(synth: Synth) -> None:
    outcome = synth("vaildate")
    assert outcome.code == EXIT_USAGE
    assert "there is no command 'vaildate'. Did you mean 'validate'?" in outcome.err


def test_an_error_in_a_recipe_points_at_it(synth: Synth, recipe: Path) -> None:
    recipe.write_text(recipe.read_text().replace("count: 3", "cuont: 3"))
    outcome = synth("validate", str(recipe))
    assert outcome.code == EXIT_USAGE
    assert outcome.out == ""
    lines = outcome.err.splitlines()
    at = lines.index("recipe.yaml:8:5: unknown key 'cuont' in generate.0")
    assert lines[at + 1 : at + 4] == ["    8 |     cuont: 3", "      |     ^^^^^", "  did you mean 'count'?"]


def test_colours_only_where_they_are_wanted(synth: Synth, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in synth("validate", "nope.yaml").err
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in synth("validate", "nope.yaml").err
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in synth("validate", "nope.yaml").err


def test_a_defect_is_one_line_and_a_file(
    synth: Synth, folder: Path, monkeypatch: pytest.MonkeyPatch, recipe: Path
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise KeyError("nobody thought of this")

    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("synth.recipe.load.load_recipe", break_down)
    outcome = synth("validate", str(recipe))
    assert outcome.code == EXIT_FAILED
    file = folder / f"synth-defect-{os.getpid()}.txt"
    assert outcome.err == f"synth: this is a defect in synth: KeyError: 'nobody thought of this'; details in {file}\n"
    assert "Traceback" in file.read_text()


def test_interrupted_anywhere_ends_without_a_traceback(synth: Synth, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synth.recipe.load.load_recipe", interrupt)
    outcome = synth("validate", "recipe.yaml")
    assert (outcome.code, outcome.out, outcome.err) == (EXIT_INTERRUPTED, "", "\n")


def test_errors_are_json_where_everything_is(synth: Synth, recipe: Path) -> None:
    recipe.write_text(recipe.read_text().replace("count: 3", "count: 0"))
    outcome = synth("run", str(recipe), "--json")
    assert outcome.code == EXIT_USAGE
    line = json.loads(outcome.err)
    assert line["event"] == "error"
    assert line["problems"] == [
        {"file": "recipe.yaml", "line": 8, "column": 12, "message": "'count' must be at least 1, got 0", "hint": ""}
    ]


def test_the_shell_completes_commands_and_options() -> None:
    def complete(words: str, number: int) -> str:
        variables = {"COMP_WORDS": words, "COMP_CWORD": str(number), "_SYNTH_COMPLETE": "bash_complete"}
        command = [sys.executable, "-m", "synth"]
        return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=True).stdout

    assert complete("synth va", 1) == "plain,validate\n"
    assert "plain,--run-dir\n" in complete("synth run --r", 2)
    assert "plain,require\n" in complete("synth run --resume r", 3)


def test_output_that_nobody_reads_ends_quietly() -> None:
    schema = subprocess.Popen(
        [sys.executable, "-m", "synth", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert schema.stdout is not None
    assert schema.stderr is not None
    schema.stdout.close()
    assert schema.stderr.read() == ""
    schema.stderr.close()
    assert schema.wait() == EXIT_FAILED


def test_click_knows_the_command_by_its_name() -> None:
    assert isinstance(cli_main.cli, click.Group)
    assert cli_main.cli.list_commands(click.Context(cli_main.cli)) == list(cli_main._COMMANDS)


def test_a_wrong_command_line_says_what_is_right(synth: Synth) -> None:
    outcome = synth("run", "--count", "abc", "recipe.yaml")
    assert outcome.code == EXIT_USAGE
    assert outcome.err.splitlines() == [
        "synth: Invalid value for '--count': 'abc' is not a valid integer.",
        "  usage: synth run [OPTIONS] RECIPE; more by synth run --help",
    ]


def test_a_command_line_that_lacks_something_says_what_else_it_needs(synth: Synth) -> None:
    usage = synth("export").err.splitlines()[-1]
    assert usage.startswith("  usage: synth export [OPTIONS] DIR --format [messages|")
    assert usage.endswith("] --to PATH; more by synth export --help")


def test_the_version_is_said(synth: Synth) -> None:
    outcome = synth("--version")
    assert outcome.code == 0
    assert outcome.out.startswith("synth")
