import pytest

from synth.messages import Message
from synth.prompts import PromptError, compile_template, shipped_template
from synth.shipped import shipped


def test_a_template_without_blocks_is_the_users_message() -> None:
    template = compile_template("Solve {{ question }}.\n", "t")
    assert template.messages({"question": "1 + 1"}) == (Message("user", "Solve 1 + 1."),)


def test_blocks_become_system_and_user_messages() -> None:
    template = compile_template("{% block system %}Be brief.{% endblock %}{% block user %}{{ q }}{% endblock %}", "t")
    assert template.messages({"q": "Why?"}) == (Message("system", "Be brief."), Message("user", "Why?"))


def test_an_empty_system_block_sends_no_system_message() -> None:
    template = compile_template("{% block system %} {% endblock %}{% block user %}Hi{% endblock %}", "t")
    assert template.messages({}) == (Message("user", "Hi"),)


def test_numbered_blocks_are_turns_of_an_example() -> None:
    template = compile_template(
        "{% block system %}Add.{% endblock %}{% block user_1 %}1 + 1{% endblock %}"
        "{% block assistant_1 %}2{% endblock %}{% block user %}{{ q }}{% endblock %}",
        "t",
    )
    assert template.messages({"q": "2 + 2"}) == (
        Message("system", "Add."),
        Message("user", "1 + 1"),
        Message("assistant", "2"),
        Message("user", "2 + 2"),
    )


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{% block user %}Hi{% endblock %}\n{% block sytem %}x{% endblock %}", "'sytem' is no block"),
        ("{% block user %}Hi{% endblock %}\n{% block system %}x{% endblock %}", "'system' is no block"),
        ("{% block user %}Hi{% endblock %}\n{% block assistant_1 %}x{% endblock %}", "the last block is 'assistant_1'"),
    ],
)
def test_a_block_that_is_no_message_is_an_error_with_its_line(source: str, problem: str) -> None:
    with pytest.raises(PromptError, match=problem) as caught:
        compile_template(source, "t")
    assert caught.value.line == 2


def test_an_undefined_name_is_an_error_with_its_line() -> None:
    template = compile_template("one\n{{ seed.question }}\n{{ sede.question }}", "mine.j2")
    with pytest.raises(PromptError, match=r"template 'mine\.j2': 'sede' is undefined") as caught:
        template.render({"seed": {"question": "q"}})
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ seed.__init__.__globals__ }}",
        "{% set x = [].append(1) %}{{ [1].append.__self__ }}",
        "{{ cycler.__init__.__globals__.os.environ }}",
        "{{ seed.update({'question': 'changed'}) }}",
        "{{ range(10 ** 9) | list | length }}",
    ],
)
def test_python_internals_and_changes_are_out_of_reach(source: str) -> None:
    seed = {"question": "q"}
    with pytest.raises(PromptError):
        compile_template(source, "t").render({"seed": seed})
    assert seed == {"question": "q"}


def test_a_syntax_error_has_its_line() -> None:
    with pytest.raises(PromptError, match="unexpected") as caught:
        compile_template("fine\n{{ oops", "t")
    assert caught.value.line == 2


def test_user_data_is_never_a_template() -> None:
    assert compile_template("{{ q }}", "t").render({"q": "{{ 1 + 1 }}"}) == "{{ 1 + 1 }}"


def test_json_is_written_as_models_write_it() -> None:
    assert compile_template("{{ q | tojson }}", "t").render({"q": "Wei's <é>"}) == '"Wei\'s <é>"'


def test_every_shipped_template_compiles() -> None:
    root = shipped("prompts")
    names = [str(path.relative_to(root)).removesuffix(".md.j2") for path in root.rglob("*.md.j2")]
    assert {"cot/solver", "rephrase/rephraser"} <= set(names)
    for name in names:
        assert shipped_template(name).hash
