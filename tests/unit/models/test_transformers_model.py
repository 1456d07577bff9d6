"""The provider's batching and answers, on a tiny random model with a real tokenizer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `transformers`")
transformers = pytest.importorskip("transformers", reason="needs the extra `transformers`")

from synth.errors import FatalModelError, ResponseError  # noqa: E402
from synth.messages import Message, StopReason  # noqa: E402
from synth.models.client import Request, Sampling  # noqa: E402
from synth.models.corrsynth.member import XARGS, Member  # noqa: E402
from synth.models.transformers_model import TransformersModel, _Waiting, take_batch  # noqa: E402

MEMBER = Member("g", 3, "a", "intra", 1.0, 0.2, 0.001)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers

    path = tmp_path_factory.mktemp("tiny")
    words = ["<pad>", "<end>", "<user>", "<system>", *"abcdefghijklmnopqrstuvwxyz", ".", "{", "}"]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<pad>")
    fast.chat_template = "{% for m in messages %} <{{ m.role }}> {{ m.content }} {% endfor %}"
    fast.save_pretrained(path)
    torch.manual_seed(5)
    config = transformers.LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, initializer_range=0.5, max_position_embeddings=64, eos_token_id=1, pad_token_id=0,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(path)
    return path


def ask(text: str, *, seed: int = 1, most: int = 12, member: Member | None = None, **sampling: Any) -> Request:
    extra = {XARGS: member.to_xargs()} if member is not None else {}
    return Request((Message("user", text),), Sampling(1.0, max_tokens=most, extra=extra, **sampling), seed=seed)


async def test_answers_do_not_depend_on_what_else_is_asked(folder: Path) -> None:
    requests = [ask("a b c", seed=1), ask("d", seed=2), ask("e f g h i", seed=3, stop=("q",))]
    many, one = TransformersModel(str(folder), places=8), TransformersModel(str(folder), places=1)
    together = await asyncio.gather(*(many.complete(request) for request in requests))
    alone = [await one.complete(request) for request in requests]
    assert [answer.message.content for answer in together] == [answer.message.content for answer in alone]
    for answer in together:
        assert answer.usage.output <= 12
        assert answer.stop in (StopReason.STOP, StopReason.LENGTH)
    await many.aclose()
    await one.aclose()


async def test_a_group_is_written_together_and_a_part_of_one_is_not_waited_for_long(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synth.models.transformers_model._GROUP_SECONDS", 0.2)
    model = TransformersModel(str(folder), places=8)
    plain = [await model.complete(ask("a b", seed=n)) for n in range(3)]
    group = await asyncio.gather(*(model.complete(ask("a b", seed=n, member=MEMBER)) for n in range(3)))
    assert [answer.message.content for answer in group] != [answer.message.content for answer in plain]
    single = await asyncio.wait_for(model.complete(ask("a b", seed=1, member=MEMBER)), 20)
    assert single.message.content == plain[1].message.content
    await model.aclose()


async def test_what_cannot_be_written(folder: Path) -> None:
    model = TransformersModel(str(folder), places=4)
    long, short = await asyncio.gather(
        model.complete(ask("a " * 70)), model.complete(ask("a b")), return_exceptions=True
    )
    assert isinstance(long, ResponseError)
    assert "takes 64 in all" in long.message
    assert not isinstance(short, BaseException)
    with pytest.raises(ResponseError, match="between 0 and gamma"):
        await model.complete(ask("a", member=replace(MEMBER, delta=3.0)))
    await model.aclose()


async def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    model = TransformersModel(str(tmp_path), places=1)
    with pytest.raises(FatalModelError, match="transformers cannot load"):
        await model.complete(ask("a"))
    await model.aclose()


async def test_batches_hold_whole_groups_and_no_more_than_there_are_places() -> None:
    def waiting(member: Member | None) -> _Waiting:
        return _Waiting(ask("a"), member, asyncio.get_running_loop().create_future(), since=100.0)

    whole = [waiting(MEMBER) for _ in range(3)]
    part, loose = waiting(replace(MEMBER, group="other")), [waiting(None) for _ in range(3)]
    assert take_batch([part, *whole, *loose], 4, 100.1) == [*whole, loose[0]]
    assert take_batch([part, loose[0]], 4, 100.1) == [loose[0]]
    assert take_batch([part], 4, 102.0) == [part]
    assert take_batch(whole, 2, 100.1) == whole
