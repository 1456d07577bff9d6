import json

from .conftest import Synth


def test_the_schema_alone_goes_to_stdout(synth: Synth) -> None:
    outcome = synth("schema")
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)["title"] == "synth recipe"
