from pathlib import Path

import pytest

from synth.errors import EXIT_USAGE

from .conftest import Synth


def test_a_good_recipe_is_summed_up(synth: Synth, recipe: Path) -> None:
    outcome = synth("validate", str(recipe))
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "recipe.yaml: ok: 3 examples by custom from 2 seeds, with teacher (scripted)\n"
    assert not Path("runs").exists()


def test_seeds_are_read_too(synth: Synth, recipe: Path) -> None:
    Path("seeds.jsonl").write_text('{"question": "one"}\n{"question": tw}\n')
    outcome = synth("validate", str(recipe))
    assert outcome.code == EXIT_USAGE
    assert "seeds.jsonl:2:" in outcome.err
    assert '    2 | {"question": tw}' in outcome.err


def test_overrides_are_checked_where_they_were_given(synth: Synth, recipe: Path) -> None:
    assert synth("validate", str(recipe), "--count", "0").err.startswith("--count 0: ")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{provider: scripted}", "{provider: scripted, answers: broken.yaml}", "broken.yaml:1:5: "),
        ("{provider: scripted}", "{provider: embedded, model: qwen2.5}", "3:40: no embedded model is called 'qwen2.5'"),
        ('diversity: "off"', "gates: ['nomod:G']", "11:9: 'nomod:G': module 'nomod' does not import"),
        ('diversity: "off"', "gates: ['json:loads']", "11:9: 'json:loads': module 'json' has no class 'loads'"),
        ('diversity: "off"', "gates: ['json:loads']", "/json/__init__.py: one in . needs a name that no other has"),
        ('diversity: "off"', "gates: ['json:JSONDecoder']", "'json:JSONDecoder' cannot be made: TypeError: "),
        ("kind: custom", "kind: 'nomod:K'", "6:11: 'nomod:K': module 'nomod' does not import"),
        ("kind: custom", "kind: 'json:JSONDecoder'", "'json:JSONDecoder' cannot be made: TypeError: "),
        ("{provider: scripted}", "{provider: openai, base_url: 'http://x', model: m}\nbudget: {usd: 1}",
         "4:15: budget.usd needs a price for models.teacher"),
    ],
)  # fmt: skip
def test_what_a_recipe_names_and_cannot_be_used(synth: Synth, recipe: Path, old: str, new: str, says: str) -> None:
    Path("broken.yaml").write_text("x: [")
    text = recipe.read_text().replace(old, new)
    if "kind: '" in new:
        text = "".join(line for line in text.splitlines(True) if not line.startswith(("    steps", "    output")))
    recipe.write_text(text)
    outcome = synth("validate", str(recipe))
    assert outcome.code == EXIT_USAGE
    assert says in outcome.err
