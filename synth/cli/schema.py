"""``synth schema``."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Print the JSON Schema of recipes, for editors.

    Save it beside a recipe and put this line at the recipe's top: # yaml-language-server: $schema=recipe.schema.json
    """
    import orjson

    from synth.recipe.json_schema import json_schema

    click.echo(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2).decode())
