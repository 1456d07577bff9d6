from pathlib import Path

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
