import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import ResponseError
from synth.messages import Message
from synth.models.client import Request, Sampling
from synth.models.context import fit_context


def ask(size: int, max_tokens: int) -> Request:
    return Request((Message("user", "word " * size),), Sampling(max_tokens=max_tokens))


def test_what_fits_is_left_alone() -> None:
    request = ask(10, 100)
    assert fit_context(request, 4096) is request


def test_the_answer_gets_what_the_prompt_leaves() -> None:
    fitted = fit_context(ask(300, 2000), 1024)
    assert 16 <= fitted.sampling.max_tokens < 1024
    assert fitted.messages == ask(300, 2000).messages


def test_a_prompt_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ResponseError, match="does not fit the model's context") as caught:
        fit_context(ask(5000, 100), 1024)
    assert caught.value.kind == "context_length"


@given(st.integers(0, 3000), st.integers(1, 4000), st.integers(128, 8192))
def test_never_asks_for_more_than_before(size: int, max_tokens: int, context: int) -> None:
    try:
        fitted = fit_context(ask(size, max_tokens), context)
    except ResponseError:
        return
    assert fitted.sampling.max_tokens <= max_tokens
    assert fitted.sampling.max_tokens <= context
