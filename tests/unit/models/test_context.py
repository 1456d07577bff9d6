import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import ResponseError
from synth.messages import Message
from synth.models.client import Request, Sampling
from synth.models.context import LEAST_ANSWER, Context


def ask(size: int, max_tokens: int) -> Request:
    return Request((Message("user", "word " * size),), Sampling(max_tokens=max_tokens))


async def words(request: Request) -> int:
    return len((request.messages[0].content or "").split())


async def never(request: Request) -> int:
    raise AssertionError("a bound settles it")


async def test_what_surely_fits_is_not_counted() -> None:
    request = ask(10, 100)
    assert await Context(4096, never).fit(request) is request


async def test_what_fits_when_counted_is_left_alone() -> None:
    request = ask(900, 100)
    assert await Context(1024, words).fit(request) is request


async def test_the_answer_gets_what_the_prompt_leaves() -> None:
    fitted = await Context(1024, words).fit(ask(700, 2000))
    assert fitted.sampling.max_tokens == 324
    assert fitted.messages == ask(700, 2000).messages


async def test_a_prompt_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ResponseError, match="does not fit the model's context: 1020 tokens of 1024") as caught:
        await Context(1024, words).fit(ask(1020, 100))
    assert caught.value.kind == "context_length"


@given(st.integers(0, 3000), st.integers(1, 4000), st.integers(128, 8192))
async def test_prompt_and_answer_never_pass_the_length(size: int, max_tokens: int, length: int) -> None:
    try:
        fitted = await Context(length, words).fit(ask(size, max_tokens))
    except ResponseError:
        assert size + LEAST_ANSWER > length
        return
    assert fitted.sampling.max_tokens <= max_tokens
    assert size + fitted.sampling.max_tokens <= length
