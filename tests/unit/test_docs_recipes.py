"""Every recipe in these pages of docs/recipes can be run, with the files that the page says to save beside it."""

import re
from pathlib import Path

import pytest

from synth.estimate import estimate
from synth.prepared import prepare
from synth.recipe.load import load_recipe

DOCS = Path(__file__).parents[2] / "docs" / "recipes"
SEEDS = '{"question": "Ann has 3 bags with 4 nuts each. How many nuts are there?", "answer": "12"}\n'


@pytest.mark.parametrize("page", ["preference", "classifier", "custom", "reasoning"])
async def test_every_recipe_of_the_page_can_be_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"(?ms)^```(\w+)\n(.*?)^```", (DOCS / f"{page}.md").read_text("utf-8"))
    seeds = [text for language, text in blocks if language == "json"]
    Path("seeds.jsonl").write_text(seeds[0] if seeds else SEEDS)
    yaml = [text for language, text in blocks if language == "yaml"]
    Path("clarity.yaml").write_text(next((text for text in yaml if text.startswith("about:")), ""))
    recipes = [text for text in yaml if text.startswith("name:")]
    assert recipes
    for text in recipes:
        Path("recipe.yaml").write_text(text)
        expected = await estimate(prepare(load_recipe("recipe.yaml")))
        assert expected.amounts.calls > 0
