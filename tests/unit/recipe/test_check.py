"""Names that refer to nothing, files that are not there, and what a provider or a kind needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.recipe.helpers import load, problems

HEAD = """\
name: x
models: {teacher: {provider: scripted}, critic: {provider: scripted}}
seeds: {path: s.jsonl}
axes: {mood: [calm, angry]}
generate:
"""

COT = "  - {kind: cot, count: 1}\n"


def steps(*lines: str, rest: str = "") -> str:
    """A recipe with one custom generator; the first of ``lines`` is line 9 of the file."""
    written = "".join(f"      {line}\n" for line in lines)
    output = '    output: {messages: [{role: user, content: "{{ seed.question }}"}]}\n'
    return f"{HEAD}  - kind: custom\n    count: 1\n    steps:\n{written}{output}{rest}"


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (
            "{m: {provider: vllm}}",
            "3:13: the model 'm' has no 'model', which provider vllm needs"
            " (give a model's name or folder, as `vllm serve` takes it)",
        ),
        (
            "{m: {provider: embedded, base_url: 'http://h'}}",
            "3:34: 'base_url' means nothing for provider embedded (it is for openai and vllm)",
        ),
        (
            "{m: {provider: embedded, model: x.gguf}}",
            "3:41: model: there is no file 'x.gguf' (looked for 'x.gguf': paths are relative to the recipe)",
        ),
        ("{m: {provider: scripted, answers: .}}", "3:43: answers: '.' is a folder, not a file"),
        (
            "{m: {provider: openai, model: m, base_url: 'http://h', api_key: '${A-B}'}}",
            "3:73: 'api_key' holds a '${' that names no variable (write ${NAME}: letters, digits and '_')",
        ),
    ],
)
def test_what_a_provider_needs(models: str, expected: str) -> None:
    assert problems(f"name: x\nseeds: {{path: s.jsonl}}\nmodels: {models}\ngenerate:\n{COT}") == [f"r.yaml:{expected}"]


def test_extra_body_takes_nothing_that_synth_sets_or_cannot_honour() -> None:
    extra = "{sampling: {extra_body: {top_k: 3, max_tokens: 9}}, model: teacher}"
    text = HEAD.replace("critic: {provider: scripted}", "c: {provider: scripted, sampling: {extra_body: {n: 2}}}")
    assert problems(text + f"  - {{kind: cot, count: 1, agents: {{solver: {extra}}}}}\n") == [
        "r.yaml:2:89: 'n' cannot be in extra_body: synth reads one whole answer a request;"
        " `count` says how many examples are made",
        "r.yaml:6:79: 'max_tokens' cannot be in extra_body: use sampling.max_tokens, which budgets reserve by",
    ]


def test_names_that_refer_to_nothing() -> None:
    text = HEAD + "  - {kind: cot, count: 1, agents: {solvr: teacher, solver: {model: critc}}}\n" + COT
    assert problems(text) == [
        "r.yaml:6:36: kind cot has no role 'solvr' (did you mean 'solver'?)",
        "r.yaml:6:68: there is no model 'critc' (did you mean 'critic'?)",
        "r.yaml:7:12: two generators have the id 'cot': generate.0 has it too"
        " (give one of them an 'id' of its own; the default is the kind)",
    ]


def test_a_plugin_names_its_own_roles_and_takes_its_class_as_id() -> None:
    loaded = load(HEAD + "  - {kind: 'my.mod:Maker', count: 1, agents: {anyone: teacher}}\n")
    assert loaded.recipe.generate[0].id == "Maker"


def test_files_that_do_not_exist() -> None:
    text = HEAD.replace("s.jsonl", "s1.jsonl") + "  - {kind: cot, count: 1, prompts: {solver: no.j2}}\n"
    assert problems(text) == [
        "r.yaml:3:15: seeds: there is no file 's1.jsonl' (did you mean 's.jsonl'?)",
        "r.yaml:6:45: prompt template: there is no file 'no.j2' (looked for 'no.j2': paths are relative to the recipe)",
    ]
    assert problems(HEAD.replace("s.jsonl", "s.txt") + COT) == [
        "r.yaml:3:15: seeds are .jsonl, .json, .csv or .parquet, not 's.txt'"
    ]


def test_an_environment_that_is_not_there() -> None:
    text = HEAD + "  - {kind: tool_use, count: 1, environment: retial}\n"
    assert problems(text) == ["r.yaml:6:45: there is no environment 'retial' (did you mean 'retail'?)"]


def test_a_kind_that_expands_seeds_needs_some() -> None:
    assert problems(HEAD.replace("seeds: {path: s.jsonl}\n", "") + COT) == [
        "r.yaml:5:12: kind cot expands seeds, and the recipe has none (add seeds: {path: …})"
    ]


def test_a_template_may_use_only_what_is_made_before_it() -> None:
    text = steps(
        "- as: draft",
        "  prompt: |",
        "    The draft:",
        "    {{ seed.question }}",
        "    {{ draft }} {{ verdict }}",
        '- {as: verdict, prompt: "{{ draft }} {{ drft }}"}',
        rest='    accept: "{{ verdict }}{{ question }}"\n',
    )
    assert problems(text) == [
        "r.yaml:13:14: the template uses 'draft' too early: this very step makes it",
        "r.yaml:13:26: the template uses 'verdict' too early: a later step makes it",
        "r.yaml:14:47: the template uses 'drft', which nothing defines (did you mean 'draft'?)",
        "r.yaml:16:30: the template uses 'question', which nothing defines"
        " (it knows seed, attributes, persona, guidance, avoid, unit, draft, verdict;"
        " a seed's field is written seed.question)",
    ]


def test_parts_of_unit_and_attributes_are_known() -> None:
    text = steps(
        "- as: draft",
        "  prompt: >",
        "    Fold",
        "    this {{ unit.indx }}",
        "    {{ attributes['mod'] }} {{ unit.seed }}",
    )
    assert problems(text) == [
        "r.yaml:12:24: the template uses unit.indx, which nothing defines (did you mean unit.index?)",
        "r.yaml:13:26: the template uses attributes.mod, which nothing defines (did you mean attributes.mood?)",
    ]


def test_step_names() -> None:
    text = steps(
        "- {as: seed, prompt: a}", "- {as: b, prompt: a, agent: teach}", "- {as: b, prompt: a, agent: {model: x}}"
    )
    assert problems(text) == [
        "r.yaml:9:14: a step cannot be called 'seed': templates know something else by it",
        "r.yaml:10:35: there is no model 'teach' (did you mean 'teacher'?)",
        "r.yaml:11:14: two steps are called 'b': generate.0.steps.1 is the other",
        "r.yaml:11:43: there is no model 'x' (models: teacher, critic)",
    ]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{% if %}", "9:29: not a template: Expected an expression, got 'end of statement block'"),
        ("{{ x", "9:29: not a template: unexpected end of template, expected 'end of print statement'."),
        ("{{ seed.q | shout }}", "9:29: not a template: No filter named 'shout'."),
        ("{{ ''.__class__ }}", "9:36: '__class__' reaches into Python, which a template must not"),
        ("{{ seed['__init__'] }}", "9:39: '__init__' reaches into Python, which a template must not"),
        ("{% include 'x' %}", "9:33: a template cannot include, import or extend another"),
    ],
)
def test_a_template_that_cannot_be_rendered(template: str, expected: str) -> None:
    assert problems(steps(f'- {{as: draft, prompt: "{template}"}}')) == [f"r.yaml:{expected}"]


@pytest.mark.parametrize(
    "template",
    [
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ " + "9" * 5000 + " }}",
        "{% if 1 %}" * 200 + "{% endif %}" * 200,
    ],
    ids=["brackets", "digits", "blocks"],
)
def test_a_template_too_complicated_for_python_is_refused(template: str) -> None:
    assert problems(steps(f'- {{as: draft, prompt: "{template}"}}')) == [
        "r.yaml:9:29: not a template: too complicated for a template"
    ]


def test_constants_that_would_never_be_worked_out_do_not_stop_the_check() -> None:
    load(steps("- {as: draft, prompt: \"{{ 9**9**9**9 }}{{ 'a' * 10**10 }}\"}"))


def test_a_template_in_a_file_is_checked_where_it_stands() -> None:
    Path("p.md.j2").write_text("Fine.\n  {{ seed.question }} {{ nope }}\n{% endif %}\n")
    assert problems(steps("- {as: a, prompt: p.md.j2}")) == [
        "p.md.j2:3:1: not a template: Encountered unknown tag 'endif'."
    ]
    Path("p.md.j2").write_text("Fine.\n  {{ seed.question }} {{ nope }}\n")
    found = problems(steps("- {as: a, prompt: p.md.j2}", "- {as: a, prompt: b}"))
    assert found[0].startswith("r.yaml:10:14: two steps")
    assert found[1].startswith("p.md.j2:2:26: the template uses 'nope', which nothing defines (")


def test_templates_without_seeds() -> None:
    text = steps('- {as: a, prompt: "{{ attributes.mood }}"}').replace("seeds: {path: s.jsonl}\n", "")
    assert problems(text) == [
        "r.yaml:9:51: the template uses 'seed', and the recipe has no seeds (add seeds: {path: …})"
    ]


ENDLESS = (
    "this schema requires itself: no answer could ever be whole (let the recursion end: leave a property out of "
    "'required', or offer null by anyOf)"
)


@pytest.mark.parametrize(
    "schema",
    [
        "{properties: {v: {type: integer}, next: {$ref: '#'}}, required: [v]}",
        "{properties: {next: {anyOf: [{$ref: '#'}, {type: 'null'}]}}, required: [next]}",
        "{properties: {list: {items: {$ref: '#'}}}, required: [list]}",
        "{$ref: '#node', $defs: {n: {$anchor: node, type: object}}}",
    ],
)
def test_a_schema_may_refer_to_itself_where_that_ends(schema: str) -> None:
    loaded = load(steps(f"- {{as: draft, prompt: p, schema: {schema}}}"))
    assert loaded.recipe.generate[0].kind == "custom"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("check: 'assert ('", "not Python: line 1: '(' was never closed"),
        ("check: 'import socket'", "the check imports 'socket': it runs in a sandbox without a network"),
        ("check: 'from urllib import request'",
         "the check imports 'urllib.request': it runs in a sandbox without a network"),
        ("check: 'import requests.sessions'",
         "the check imports 'requests.sessions': in its sandbox there is only the standard library"),
        ("check: 'return 1'", "not Python: line 1: 'return' outside function"),
        ("check: 'len(draft) > 3'", "does nothing with it: len(draft) > 3 (write: assert len(draft) > 3)"),
        ("samples: 0", "'samples' must be at least 1, got 0"),
        ("samples: 1000", "'samples' must be at most 64, got 1000"),
        ("rounds: 1000", "'rounds' must be at most 20, got 1000"),
        ("vote: 0.5", "'vote' has nothing to choose from"),
        ("again_from: draft", "'again_from' means nothing without 'until' or 'check'"),
    ],
)  # fmt: skip
def test_what_a_step_cannot_do_is_said_beforehand(step: str, expected: str) -> None:
    (problem,) = problems(steps(f"- {{as: draft, prompt: p, {step}}}"))
    assert problem.startswith("r.yaml:9:")
    assert expected in problem


def test_a_check_sees_no_step_that_comes_later() -> None:
    found = problems(steps("- {as: a, prompt: p, check: 'assert b and len(a)'}", "- {as: b, prompt: p}"))
    assert found == ["r.yaml:9:35: the check uses 'b' too early: a later step makes it"]


def test_an_axis_with_the_name_of_a_field_that_a_kind_reads() -> None:
    found = problems(HEAD.replace("mood", "label") + "  - {kind: classify, count: 1}\n")
    assert found == [
        "r.yaml:4:8: the axis 'label' has the name of a seed field that kind classify reads (call it something else)"
    ]


@pytest.mark.parametrize("name", ["persona", "long_tail"])
def test_an_axis_with_the_name_of_what_rows_keep_beside_the_attributes(name: str) -> None:
    assert problems(HEAD.replace("mood", name) + COT) == [
        f"r.yaml:4:8: no axis can have the name {name!r}: rows keep something else under it, beside the attributes"
        " (call it something else)"
    ]


def test_a_check_may_use_the_standard_library() -> None:
    load(steps("- {as: draft, prompt: p, check: 'import re, json, urllib.parse; assert re.match(\"a\", draft)'}"))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("{type: objct}", "9:47: JSON Schema has no type 'objct' (did you mean 'object'?)"),
        (
            "{type: array}",
            "9:47: a step's schema describes an object, not 'array' (wrap it: {type: object, properties: {…}})",
        ),
        ("{properties: {a: {pattern: '('}}}", "9:67: '(' is no regex"),
        ("{$schema: []}", "9:50: not a JSON Schema: [] is not of type 'string'"),
        ("{properties: {type: string}}", "9:60: not a JSON Schema: 'string' is not of type 'object', 'boolean'"),
        ("{required: ok}", "9:51: not a JSON Schema: 'ok' is not of type 'array'"),
        ("{$ref: '#/$defs/x', $defs: {y: {}}}", "9:47: '#/$defs/x' refers to nothing (did you mean '#/$defs/y'?)"),
        ("{$ref: '#'}", "9:47: '#' refers to itself with no property or item in between"),
        (
            "{properties: {a: {$ref: '#/$defs/n'}}, $defs: {n: {anyOf: [{not: {$ref: '#/$defs/n'}}, {type: string}]}}}",
            "9:64: '#/$defs/n' refers to itself with no property or item in between",
        ),
        ("{properties: {a: {$ref: '#'}}, required: [a]}", f"9:40: {ENDLESS}"),
        (
            "{$ref: '#/$defs/a', $defs: {a: {anyOf: [{$ref: '#/$defs/b'}]}, b: {allOf: [{$ref: '#/$defs/a'}]}}}",
            "9:47: '#/$defs/a' refers to itself with no property or item in between",
        ),
        ("{properties: {l: {items: {$ref: '#'}, minItems: 1}}, required: [l]}", f"9:40: {ENDLESS}"),
        ("{$ref: 'http://x'}", "9:47: a schema can refer only to itself ('#/$defs/…'), not to 'http://x'"),
    ],
)
def test_a_step_asks_for_a_json_schema(schema: str, expected: str) -> None:
    assert problems(steps(f"- {{as: draft, prompt: p, schema: {schema}}}")) == [f"r.yaml:{expected}"]


def test_a_whole_custom_recipe_is_right() -> None:
    loaded = load(
        steps(
            "- {as: draft, agent: teacher, prompt: '{{ unit.index }} {{ seed.question }}'}",
            "- {as: verdict, agent: {model: critic}, prompt: '{{ draft }}', schema: {type: object}}",
            rest="    accept: '{{ verdict.ok }}'\n",
        )
    )
    assert loaded.recipe.generate[0].kind == "custom"


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("    prefer: {responses: 3}\n", "11:5: 'prefer' means nothing without 'preference: true'"),
        (
            "    preference: true\n    prefer: {rubric: helpfullness, judges: [critc]}\n",
            "12:22: there is no rubric 'helpfullness' (did you mean 'helpfulness'?; a file of your own ends in .yaml)",
        ),
        (
            "    preference: true\n    prefer: {judges: [critc]}\n",
            "12:23: there is no model 'critc' (did you mean 'critic'?)",
        ),
    ],
)
def test_what_preferences_are_told_by(prefer: str, expected: str) -> None:
    found = problems(steps("- {as: draft, prompt: go}", rest=prefer))
    assert f"r.yaml:{expected}" in found


def test_preference_needs_a_prompt_and_an_answer() -> None:
    assert problems(steps("- {as: draft, prompt: go}", rest="    preference: true\n")) == [
        "r.yaml:10:24: preference needs a prompt and an answer: the last of several messages is the assistant's"
        " (output.messages: first the prompt, last {role: assistant, content: …} with what is compared)"
    ]


def test_what_an_alias_repeats_is_reported_once() -> None:
    text = steps("- &broken {as: draft, prompt: '{{ x'}", rest="    preference: true\n")
    again = "  - {id: again, kind: custom, count: 1, preference: true, steps: [*broken], output: {messages: [*said]}}\n"
    found = problems(text.replace("[{role", "[&said {role") + again)
    assert found == ["r.yaml:9:37: not a template: unexpected end of template, expected 'end of print statement'."]


@pytest.mark.parametrize(
    ("step", "rest", "expected"),
    [
        ("agent: [teacher, critic]", "", "9:50: this agent is never asked: the step asks once and no more"
         " (samples: 2 asks everyone once)"),
        ("samples: 2, agent: [teacher, critic, teacher]", "", "9:70: this agent is never asked: the step asks 2 times"
         " and no more (samples: 3 asks everyone once)"),
        ("samples: 2, agent: [teacher, critic]", "", None),
        ("until: '{{ draft }}', rounds: 2, agent: [teacher, critic]", "", None),
        ("agent: [teacher, critic]", "    preference: true\n", None),
    ],
)  # fmt: skip
def test_an_agent_that_is_never_asked(step: str, rest: str, expected: str | None) -> None:
    text = steps(f"- {{as: draft, prompt: go, {step}}}", rest=rest)
    text = text.replace("}]}\n", "}, {role: assistant, content: '{{ draft }}'}]}\n", 1)
    if expected is None:
        load(text)
    else:
        assert problems(text) == [f"r.yaml:{expected}"]


@pytest.mark.parametrize(
    ("generator", "expected"),
    [
        (
            "{kind: cot, count: 1, agents: {solver: critic}, ensemble: {solvers: [{model: teacher}]}}",
            "6:36: 'agents.solver' means nothing beside 'ensemble.solvers', which has every solver's own",
        ),
        (
            "{kind: question, count: 1, agents: {judge: critic}}",
            "6:41: the role 'judge' is asked only where the ensemble has a critic"
            " (add ensemble: {critic: the name of a model})",
        ),
        (
            "{kind: cot, count: 1, agents: {critic: critic}}",
            "6:36: the role 'critic' is asked only where chains are revised (add ensemble: {revise: 2})",
        ),
        (
            "{kind: cot, count: 1, agents: {reviser: critic}, ensemble: {revise: 0}}",
            "6:36: the role 'reviser' is asked only where chains are revised (add ensemble: {revise: 2})",
        ),
        (
            "{kind: cot, count: 1, agents: {picker: critic}, ensemble: {keep: shortest}}",
            "6:36: the role 'picker' is asked only where a judge picks the chain that is kept"
            " (add ensemble: {keep: judge})",
        ),
        (
            "{kind: cot, count: 1, ensemble: {samples: 1, solvers: [{model: teacher}, {model: critic}]}}",
            "6:78: this solver is never asked: 2 solvers, and 'samples' is 1 (samples: 2 asks everyone once)",
        ),
        (
            "{kind: answer, count: 1, ensemble: {vote: 0.9}}",
            "6:41: 'vote' means nothing for kind answer: its answer is known, and decides alone (leave it out)",
        ),
        (
            "{kind: backward, count: 1, ensemble: {vote: 0.9}}",
            "6:43: 'vote' means nothing for kind backward: its answer is known, and decides alone (leave it out)",
        ),
    ],
)
def test_what_an_ensemble_never_asks_for(generator: str, expected: str) -> None:
    assert problems(f"{HEAD}  - {generator}\n") == [f"r.yaml:{expected}"]


def test_a_wording_is_solved_again_and_not_by_a_whole_ensemble() -> None:
    found = problems(HEAD + "  - {kind: rephrase, count: 1, ensemble: {programs: 3}}\n")
    assert found == ["r.yaml:6:43: unknown key 'programs' in generate.0.ensemble (known keys: samples, vote)"]


@pytest.mark.parametrize(
    ("schema", "used", "expected"),
    [
        ("{properties: {ok: {}}, additionalProperties: false}", "v.okk", "uses v.okk, which nothing defines (did you"),
        ("{properties: {ok: {}}, additionalProperties: false}", "v['why']", "uses v.why, which nothing defines (v has"),
        ("{properties: {ok: {}}, additionalProperties: false}, samples: 3", "v[0].okk", ""),
        ("{properties: {ok: {}}, additionalProperties: false}, samples: 3", "v.first", ""),
        ("{properties: {ok: {}}, additionalProperties: false}", "v.ok and v.items()", ""),
        ("{properties: {ok: {}}, additionalProperties: false}", "[seed] | map(attribute='okk')", ""),
        ("{properties: {ok: {}}}", "v.okk", ""),
        ("{properties: {ok: {}}, additionalProperties: false, patternProperties: {o: {}}}", "v.okk", ""),
    ],
)
def test_a_field_that_a_steps_schema_does_not_allow(schema: str, used: str, expected: str) -> None:
    text = steps(f"- {{as: v, prompt: p, schema: {schema}}}", rest=f'    accept: "{{{{ {used} }}}}"\n')
    if not expected:
        load(text)
        return
    (found,) = problems(text)
    assert expected in found


def test_a_name_that_a_template_gives_itself_is_its_own() -> None:
    text = steps(
        "- {as: v, prompt: p, schema: {properties: {ok: {}}, additionalProperties: false}}",
        '- {as: w, prompt: "{% for v in [seed] %}{{ v.question }}{% endfor %}"}',
    )
    assert len(load(text).recipe.generate) == 1


def test_a_step_without_a_name_is_not_offered_to_others() -> None:
    found = problems(steps("- {prompt: p}", '- {as: w, prompt: "{{ x }}"}'))
    assert [one for one in found if "None" in one] == []


@pytest.mark.parametrize(
    ("embedder", "expected"),
    [
        ("minlm", "r.yaml:7:23: there is no embedder 'minlm' (did you mean 'minilm'?)"),
        ("MiniLM", "r.yaml:7:23: there is no embedder 'MiniLM' (did you mean 'minilm'?)"),
        ("all-MiniLM-L6-v2", ""),
        ("LaBSE", ""),
        ("minim", ""),
    ],
)
def test_an_embedder_that_is_nearly_a_known_one(embedder: str, expected: str) -> None:
    Path("minim").mkdir()
    text = f"{HEAD}{COT}diversity: {{embedder: {embedder}}}\n"
    if expected:
        assert problems(text) == [expected]
    else:
        assert load(text).recipe.diversity != "off"


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ("{gate: language, languages: [english]}",
         "r.yaml:7:38: 'languages.0' must be a two-letter code of a language, such as en, got 'english'"),
        ("{gate: length, min_words: 5, max_words: 2}",
         "r.yaml:7:9: 'gates.0' must have a max_words of at least its min_words, 5"),
        ("{gate: license, allow: [MIT], models: {teacher: mit}}",
         "r.yaml:7:9: the gate does not know the terms of the model 'critic'"
         " (read them, and say so: models: {critic: …}; allowed are MIT)"),
        ("{gate: license, allow: [MIT], models: {teacher: mit, critic: own}}",
         "r.yaml:7:70: the gate does not allow the model 'critic': its terms are 'own'"
         " (use another model; allowed are MIT)"),
    ],
)  # fmt: skip
def test_gates_that_no_run_could_begin_with(gate: str, expected: str) -> None:
    assert problems(f"{HEAD}{COT}gates: [{gate}]\n") == [expected]


def test_cleaning_is_held_to_the_same() -> None:
    text = f"{HEAD}{COT}".replace("{path: s.jsonl}", "{path: s.jsonl, clean: {min_words: 5, max_words: 2}}")
    assert problems(text) == ["r.yaml:3:31: 'clean' must have a max_words of at least its min_words, 5"]
