"""Personal data: what is found, what stands in its place, and that nothing of it is left."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("presidio_analyzer")

from synth.curation.cleaned import clean_file
from synth.curation.pii.fakes import Fakes
from synth.curation.pii.finder import PiiFinder
from synth.curation.pii.name_lists import romanize
from synth.curation.pii.removing import mark, remove, stand_ins
from synth.errors import UsageError
from synth.example import Draft
from synth.messages import Message, ToolCall
from synth.recipe.cleaning import CleanSpec, PiiKind
from tests.unit.gates.helpers import make_gate

FINDER = PiiFinder()
EACH: list[tuple[PiiKind, str, str]] = [
    ("person", "My name is Anjali Deshpande and I need help.", "Anjali Deshpande"),
    ("person", "मेरा नाम रमेश कुमार है।", "रमेश कुमार"),
    ("person", "Please ask Emily Johnson about it.", "Emily Johnson"),
    ("email", "Write to j.doe+shop@mail.example.co.uk soon.", "j.doe+shop@mail.example.co.uk"),
    ("phone", "Call me at +91 98765 43210 tonight.", "+91 98765 43210"),
    ("credit_card", "Charge it to 4111 1111 1111 1111 please.", "4111 1111 1111 1111"),
    ("iban", "Send it to DE89370400440532013000 today.", "DE89370400440532013000"),
    ("ip", "It came from 203.0.113.77 at night.", "203.0.113.77"),
    ("us_ssn", "My SSN is 536-90-4399.", "536-90-4399"),
    ("aadhaar", "Her Aadhaar is 2345 6789 0124.", "2345 6789 0124"),
    ("pan", "The PAN is ABCPE1234F on file.", "ABCPE1234F"),
    ("passport", "His passport number is J8369854.", "J8369854"),
    ("address", "I live at 742 Oak Terrace, Springfield, IL 62704.", "742 Oak Terrace, Springfield, IL 62704"),
    ("address", "Send it to 14/2, Gandhi Nagar, Jaipur - 302015 please.", "14/2, Gandhi Nagar, Jaipur - 302015"),
    ("birth_date", "I was born on 12 March 1984 in a village.", "12 March 1984"),
    ("birth_date", "जन्म तिथि: 12 मार्च 1984", "12 मार्च 1984"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Contact: 9876543210 / 9812345678", "9876543210"),
        ("Contact: 9876543210,9812345678", "9812345678"),
        ('<a tel="9876543210">', "9876543210"),
        ("फोन: 9876543210", "9876543210"),
        ("9876543210", "9876543210"),
        ("Ann (+91 98765 43210)", "(+91 98765 43210"),
        ("my number (9876543210)", "(9876543210"),
        ("Ann, 212-555-0187, New York", "212-555-0187"),
        ("Ann, 98765 43210, Pune", "98765 43210"),
        ("It came from version 3 of 203.0.113.77.", "203.0.113.77"),
        ("IP: 167.71.139.182 Version 4.12.3 fixes it.", "167.71.139.182"),
        ("Ping http://[2001:db8:1::7]/ again.", "2001:db8:1::7"),
    ],
)
def test_numbers_in_other_forms_are_found_too(text: str, value: str) -> None:
    assert value in [text[one.start : one.end] for one in FINDER.find([text])[0]]


@pytest.mark.parametrize(("kind", "text", "value"), EACH)
def test_each_sort_is_found_where_it_stands(kind: PiiKind, text: str, value: str) -> None:
    assert [(one.kind, text[one.start : one.end]) for one in FINDER.find([text])[0]] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "The meeting is on 3 May 2024, and order 123456789012 costs $1,200.",
        "Version 3.2 of the library was released with 48 changes.",
        "Use the train to the station, then walk down the road for 200 metres.",
        "x = [1, 2, 3]; print(sum(x) / len(x))",
        "The number of children is 23786 - 17509 = <<23786-17509=6277>>6277",
        "He pays $350 000 x 12/100 = $<<350000*12/100=42000>>42000\n#### 168000",
        "The square root of two is 1.414213562.",
        "The largest number is 2147483647, and timestamp=1712345678 is later.",
        "Call it with sleep(9876543210) from std::a::b, or take x[::2] and ::1.",
        "Upgrade to version 3.5.1.2 with pip install x==10.2.3.4, not the 2.10.3.4 release.",
        "",
    ],
)
def test_what_is_nobodys_stays(text: str) -> None:
    assert FINDER.find([text]) == [[]]


def test_what_is_found_once_is_found_everywhere_in_the_row() -> None:
    texts = ["My name is Anjali Deshpande.", "ok. so Deshpande called, and anjali too? Anjali it was"]
    assert [one.kind for one in FINDER.find(texts)[1]] == ["person", "person"]
    assert remove(FINDER, mark, texts).texts[1] == "ok. so <PERSON> called, and anjali too? <PERSON> it was"


def test_a_person_has_one_stand_in_by_every_name_and_in_every_row() -> None:
    write = stand_ins(7)
    first = remove(
        FINDER, write, ["I am Ramesh Kumar, ramesh.kumar@gmail.com. Ramesh said so. Mr. Kumar agreed."]
    ).texts[0]
    given, surname = first.removeprefix("I am ").split(",")[0].split()
    assert first.split()[4].startswith(f"{given}.{surname}@example.".lower())
    assert first.endswith(f"{given} said so. Mr. {surname} agreed.")
    assert remove(FINDER, write, ["It was Ramesh Kumar."]).texts[0] == f"It was {given} {surname}."
    assert remove(FINDER, stand_ins(8), ["It was Ramesh Kumar."]).texts[0] != f"It was {given} {surname}."


@pytest.mark.parametrize(("kind", "text", "value"), EACH)
def test_a_stand_in_is_of_the_same_form_and_somebody_elses(kind: PiiKind, text: str, value: str) -> None:
    fake = Fakes(1).fake(kind, value)
    assert fake != value
    assert value not in remove(FINDER, stand_ins(1), [text]).texts[0]
    if kind in {"phone", "credit_card", "iban", "us_ssn", "aadhaar", "pan", "passport"}:
        assert [(c.isdigit(), c.isalpha()) for c in fake] == [(c.isdigit(), c.isalpha()) for c in value]


@given(st.integers(0, 50), st.from_regex(r"\d{4} \d{4} \d{4} \d{4}", fullmatch=True))
def test_no_stand_in_is_a_card_that_can_be_charged(seed: int, value: str) -> None:
    digits = [int(c) for c in reversed(Fakes(seed).fake("credit_card", value)) if c.isdigit()]
    assert sum(d if place % 2 == 0 else sum(divmod(2 * d, 10)) for place, d in enumerate(digits)) % 10


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([text for _, text, _ in EACH]), min_size=1, max_size=4))
def test_marks_leave_nothing_behind(texts: list[str]) -> None:
    marked = remove(FINDER, mark, texts)
    left = " ".join(marked.texts)
    assert not [value for _, text, value in EACH if text in texts and value in left]
    assert FINDER.find(marked.texts) == [[] for _ in texts]


def test_devanagari_in_latin_letters() -> None:
    assert [romanize(word) for word in ("रमेश", "सुनीता", "प्रिया", "अमित")] == ["Ramesh", "Sunita", "Priya", "Amit"]


DRAFT = Draft(
    (
        Message("user", "I am Emily Johnson, write to emily@corp.com"),
        Message("assistant", None, (ToolCall("c1", "send", '{"to": "emily@corp.com", "card": 4111111111111111}'),)),
        Message("tool", "sent to emily@corp.com", tool_call_id="c1"),
        Message("assistant", "Done.", reasoning="Emily Johnson wants mail."),
    ),
    "I am Emily Johnson",
    extra={"note": ["emily@corp.com", 3]},
)


def test_the_gate_rejects_and_does_not_repeat_what_it_found() -> None:
    verdict = make_gate("pii").judge(DRAFT)
    assert not verdict.passed
    assert verdict.reason == "it holds 4 × email, 3 × person, 1 × credit_card"
    assert verdict.score == 8


@pytest.mark.parametrize("action", ["redact", "replace"])
def test_the_gate_mends_every_part_of_a_draft(action: str) -> None:
    gate = make_gate({"gate": "pii", "action": action})
    mended, verdict = gate.mend(DRAFT)  # type: ignore[attr-defined]
    assert (verdict.passed, verdict.score) == (True, 8)
    said = orjson.dumps([message.to_dict() for message in mended.messages]).decode() + mended.text + str(mended.extra)
    assert "Emily" not in said
    assert "Johnson" not in said
    assert "corp.com" not in said
    arguments = orjson.loads(mended.messages[1].tool_calls[0].arguments)
    assert arguments["card"] != 4111111111111111
    if action == "redact":
        assert (arguments, mended.extra) == ({"to": "<EMAIL>", "card": "<CREDIT_CARD>"}, {"note": ["<EMAIL>", 3]})


def test_a_file_is_cleaned_and_its_report_repeats_nothing(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_bytes(b'{"text": "Call +91 98765 43210"}\n{"text": "Call nobody"}\n')
    done = clean_file(source, target, CleanSpec.model_validate({"pii": {"action": "redact"}}))
    assert target.read_bytes() == b'{"text":"Call <PHONE>"}\n{"text": "Call nobody"}\n'
    assert [(one.before, one.after) for one in done.tally.examples["pii"]] == [("", "Call <PHONE>")]
    done = clean_file(source, target, CleanSpec.model_validate({"pii": {}}))
    assert target.read_bytes() == b'{"text": "Call nobody"}\n'
    assert done.tally.dropped == {"personal data": 1}
    assert [one.before for one in done.tally.examples["personal data"]] == [""]


def test_personal_data_leaves_every_part_of_a_row(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    function = {"name": "mail", "arguments": '{"to": "bob.miller@example.com",  "n": 1}'}
    call = {"id": "c1", "type": "function", "function": function}
    said = {
        "role": "assistant",
        "content": None,
        "reasoning_content": "to bob.miller@example.com",
        "tool_calls": [call],
    }
    row = {"messages": [{"role": "user", "content": "Mail  me"}, said], "card": 4111111111111111, "n": 20240512}
    source.write_bytes(orjson.dumps(row) + b"\n" + orjson.dumps({"text": "x  =  1", "args": {"arguments": "a  b"}}))
    done = clean_file(source, target, CleanSpec.model_validate({"pii": {"action": "redact"}}))
    first, second = map(orjson.loads, target.read_bytes().splitlines())
    assert first["messages"][0]["content"] == "Mail me"
    assert first["messages"][1]["reasoning_content"] == "to <EMAIL>"
    assert first["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"to":"<EMAIL>","n":1}'
    assert (first["card"], first["n"]) == ("<CREDIT_CARD>", 20240512)
    assert second["text"] == "x = 1"
    assert (done.tally.changed["pii"], done.tally.changed["space"]) == (1, 2)


def test_weights_of_another_model_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.curation.pii.finder._NER_SHA256", "0" * 64)
    with pytest.raises(UsageError, match="does not hold en_core_web_sm"):
        PiiFinder()


def test_numbers_of_a_row_stay_and_what_a_key_said_twice_goes(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_bytes(
        b'{"id": 1712345678, "text": "Hi."}\n{"text": "Call +91 98765 43210", "text": "Hi."}\n{"n": 9876543210}\n'
    )
    clean_file(source, target, CleanSpec.model_validate({"pii": {"action": "redact"}}))
    assert target.read_bytes() == b'{"id": 1712345678, "text": "Hi."}\n{"text":"Hi."}\n{"n":"<PHONE>"}\n'
