"""The recipe as pydantic models: the one description of what a user may write.

Field docstrings are the reference: they become the JSON Schema that ``synth schema`` prints and editors complete from.
Nothing here reads a file or knows of a run. What the models cannot say (names that refer to nothing, missing files,
templates that do not compile) is checked by :mod:`synth.recipe.load`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from synth.messages import Json
from synth.recipe.axes import Axis, Exclusion, LongTailSpec, PersonasSpec
from synth.recipe.base import CLASS_PATH as CLASS_PATH
from synth.recipe.base import IDENTIFIER as IDENTIFIER
from synth.recipe.base import NAME as NAME
from synth.recipe.base import URL as URL
from synth.recipe.base import Name, Number, Spec, Whole, text_or_mapping, text_or_mapping_or_list
from synth.recipe.decode import DecodeSpec
from synth.recipe.diversity import DiversitySpec as DiversitySpec
from synth.recipe.faults import FaultsSpec
from synth.recipe.gates import Gate

Provider = Literal["embedded", "openai", "vllm", "transformers", "scripted"]


class SamplingSpec(Spec):
    temperature: Number | None = Field(None, ge=0, le=5)
    """Softmax temperature; 0 is greedy. Unset: the server's default."""
    top_p: Number | None = Field(None, gt=0, le=1)
    """Nucleus: sample from the smallest set of tokens with this probability in all."""
    max_tokens: Whole | None = Field(None, ge=1, le=1_000_000)
    """Most tokens of one answer. Budgets reserve by it. Unset: 1024, or what the agent's step needs."""
    stop: list[str] = []
    """Texts that end an answer."""
    extra_body: Json = {}
    """Further fields for the request body, passed on as they are (for example `top_k`, `chat_template_kwargs`)."""


class LimitsSpec(Spec):
    rpm: Whole | None = Field(None, ge=1)
    """Most requests a minute."""
    tpm: Whole | None = Field(None, ge=1)
    """Most tokens a minute, input and output together."""


class PriceSpec(Spec):
    input: Number = Field(ge=0)
    """USD per million input tokens."""
    output: Number = Field(ge=0)
    """USD per million output tokens."""


BATCH_CONCURRENCY = 2000


class ModelSpec(Spec):
    provider: Provider
    """`embedded`: a small model that synth runs itself. `openai`: any OpenAI-compatible endpoint. `vllm`: a vLLM
    server, running (`base_url`) or started by synth. `transformers`: in this process. `scripted`: answers from a file,
    no model."""
    model: str | None = None
    """The model's name at the endpoint; embedded: a name from `synth models list`, or a path to a .gguf file."""
    base_url: str | None = Field(None, pattern=URL)
    """The endpoint, up to and including `/v1`."""
    api_key: str | None = None
    """Use `${VAR}`: keys are read from the environment and never stored."""
    headers: dict[str, str] = {}
    """Further HTTP headers of every request; treated as secrets."""
    sampling: SamplingSpec = SamplingSpec()
    """Sampling for every agent that uses this model, unless its step says otherwise."""
    concurrency: Whole = Field(64, ge=1, le=4096)
    """Most requests in flight; the engine adapts below it. With `batch`: most in one batch, 2000 where it is unset."""
    limits: LimitsSpec = LimitsSpec()
    """The endpoint's quota, where it has one."""
    timeout: Number = Field(120, gt=0, le=86_400)
    """Seconds without any sign of life after which one response counts as lost."""
    price: PriceSpec | None = None
    """Unset: looked up for known hosted models, 0 for models that run here."""
    structured: Literal["auto", "json_schema", "json_object", "prompt"] = "auto"
    """How a JSON Schema is asked for. `auto` tries the strictest first and remembers what the endpoint takes."""
    send_seed: bool | None = None
    """Send a `seed` with every request. Unset: where it is known to work."""
    context_length: Whole | None = Field(None, ge=128)
    """Tokens of prompt and answer together. Unset: learned from the server where it tells."""
    batch: bool = False
    """Use the endpoint's Batch API: about half the price, and hours until the answers come. Budgets count the full
    price, unless `price` says what a batch costs."""
    args: list[str] = []
    """vllm: further arguments of the server that synth starts. embedded: none."""
    env: dict[str, str] = {}
    """vllm: environment variables of the server that synth starts."""
    python: str | None = None
    """vllm: the Python of the virtual environment that holds vLLM. Unset: this one."""
    answers: str | None = None
    """scripted: a YAML file of rules (see docs), relative to the recipe."""

    @model_validator(mode="before")
    @classmethod
    def _fill_batches(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("batch") is True and "concurrency" not in data:
            return {**data, "concurrency": BATCH_CONCURRENCY}
        return data


class SeedsSpec(Spec):
    path: str
    """.jsonl .json .csv or .parquet; relative to the recipe."""
    fields: dict[str, str] = {}
    """Rename columns: `name synth uses: column in the file`."""
    limit: Whole | None = Field(None, ge=1)
    """Use only the first so many."""


class AgentSpec(Spec):
    """A model in a role: which model, and how it samples there."""

    model: Name
    """A name under `models`."""
    sampling: SamplingSpec = SamplingSpec()
    """Overrides the model's own, field by field."""


AgentRef = Annotated[
    Annotated[Name, Tag("<text>")] | Annotated[AgentSpec, Tag("<mapping>")],
    text_or_mapping("must be the name of a model, or {model: name, sampling: {…}}"),
]
"""A model's name, or `{model: name, sampling: {...}}`."""


class SolverSpec(AgentSpec):
    """One of several solvers of an ensemble."""

    prompt: str | None = None
    """A template of its own, as a path relative to the recipe. Unset: the shipped one."""


class DifficultySpec(Spec):
    """Which questions teach: 1 minus the share of the first chains that reach the answer."""

    min: Number = Field(0, ge=0, le=1)
    """At least so difficult; 0.2 leaves out what nearly every chain gets right."""
    max: Number = Field(1, ge=0, le=1)
    """At most so difficult."""


class EnsembleSpec(Spec):
    """How several chains become one answer."""

    samples: Whole = Field(3, ge=1, le=64)
    """Independent chains of thought for a question."""
    vote: Number = Field(0.5, gt=0, le=1)
    """Smallest share of the chains that must agree on the answer; with programs, the mean of the chains' share and the
    programs' share."""
    programs: Whole = Field(2, ge=0, le=64)
    """Independent programs that compute the answer in a sandbox, where the seed does not give it; at least one has
    to reach the chains' answer. 0: the chains alone decide."""
    solvers: list[SolverSpec] = []
    """Solvers with models or prompts of their own, who share the samples in turn. Unset: one, in role `solver`."""
    critic: AgentRef | None = None
    """Judges where the vote does not decide, and criticises chains that are revised. Unset: the vote alone decides."""
    revise: Whole = Field(0, ge=0, le=10)
    """Rounds of critique and revision where no chain reaches the answer by sound steps."""


class StepSpec(Spec):
    """One step of a `custom` ensemble: one agent answers one prompt."""

    name: Annotated[str, Field(alias="as", pattern=IDENTIFIER)]
    """Later steps, `accept` and `output` see the result under this name."""
    agent: (
        Annotated[
            Annotated[Name, Tag("<text>")]
            | Annotated[AgentSpec, Tag("<mapping>")]
            | Annotated[list[AgentRef], Tag("<list>"), Field(min_length=1)],
            text_or_mapping_or_list("must be the name of a model, {model: name, sampling: {…}}, or a list of these"),
        ]
        | None
    ) = None
    """Unset: the first model. Of a list, the samples go to each in turn."""
    samples: Whole = Field(1, ge=1, le=64)
    """Ask so many times; the result is the list of all answers, or with `vote` the one that wins."""
    vote: Number | None = Field(None, gt=0, le=1)
    """The answer that most samples agree on is the result, if they are at least this share; a tie is rejected."""
    when: str | None = None
    """A template; where it renders to false, 0, no, none or nothing, the step is left out and its result is none."""
    check: str | None = None
    """Python that raises where the result is not good enough, such as `assert len(draft) < 400, "too long"`. It runs
    in a sandbox with the standard library, and knows what a template of a later step knows."""
    until: str | None = None
    """A template; while it renders to false, the step is taken again."""
    again_from: Annotated[str, Field(pattern=IDENTIFIER)] | None = None
    """The earlier step to go back to when `until` or `check` is not satisfied. Unset: this one. The steps in between
    see each other's last results; none in the first round."""
    rounds: Whole = Field(3, ge=1, le=20)
    """With `until` or `check`: how often the step is taken before the attempt is rejected."""
    system: str | None = None
    """A system message: text, or the path of a template."""
    prompt: str
    """A Jinja template: text, or the path of a template relative to the recipe (`*.j2`)."""
    schema_: Annotated[Json | None, Field(alias="schema")] = None
    """A JSON Schema; the result is then an object that satisfies it, otherwise text."""
    repairs: Whole = Field(2, ge=0, le=10)
    """How often an answer that does not satisfy the schema is sent back with what is wrong."""


class MessageTemplate(Spec):
    role: Literal["system", "user", "assistant"]
    """Who says it."""
    content: str
    """A Jinja template: text, or the path of a template."""


class OutputTemplate(Spec):
    """What a `custom` ensemble's example consists of."""

    messages: list[MessageTemplate] = Field(min_length=1)
    """The conversation, in order."""
    text: str | None = None
    """What makes this example different from others, for the novelty filter. Unset: the last assistant message."""


def _default_id(made: Json) -> str:
    return str(made["kind"]).rpartition(":")[2]


class GeneratorSpec(Spec):
    """What every generator has."""

    roles: ClassVar[tuple[str, ...]] = ()
    """The roles that agents play in this kind."""
    needs: ClassVar[tuple[str, ...]] = ()
    """The fields that every seed must have a value in."""
    writers: ClassVar[tuple[str, ...] | None] = ()
    """The roles whose words an example consists of: `decode` is for them. None: every agent's."""
    near_own_seed: ClassVar[bool] = False
    """Whether an example says again what its seed says, so that being close to it in meaning is no fault."""

    kind: str
    id: Name = Field(default_factory=_default_id)
    """Names the dataset file. Default: the kind; for your own, the class's name."""
    count: Whole = Field(ge=1, le=100_000_000)
    """Accepted examples to make, exactly."""
    agents: dict[Name, AgentRef] = {}
    """Which model plays which role; roles not named here are played by the first model."""
    decode: DecodeSpec | None = None
    """How the agent that writes the example decodes, where the model's logits can be reached (vllm, transformers)."""
    prompts: dict[Name, str] = {}
    """Your own template for a role, instead of the shipped one: a path relative to the recipe."""


ENSEMBLE_ROLES = ("solver", "programmer", "critic", "reviser", "judge")
"""Who works in a chain-of-thought ensemble."""


class RephraseSpec(GeneratorSpec):
    """A new wording of a seed's question whose answer stays, checked by solving it again.

    Roles: `rephraser`, `solver`. Seed fields: `question`, `answer`."""

    roles = ("rephraser", "solver")
    needs = ("question", "answer")
    writers = ("rephraser",)
    near_own_seed = True
    kind: Literal["rephrase"]
    """A new wording of a seed's question whose answer stays."""
    ensemble: EnsembleSpec = EnsembleSpec()
    """How often the new wording is solved, and which share must reach the seed's answer."""


class SolvedSpec(GeneratorSpec):
    """What every kind has whose questions the chain-of-thought ensemble solves."""

    roles: ClassVar[tuple[str, ...]] = ENSEMBLE_ROLES
    writers: ClassVar[tuple[str, ...] | None] = ("solver",)
    needs: ClassVar[tuple[str, ...]] = ("question",)
    ensemble: EnsembleSpec = EnsembleSpec()
    """How many chains, what else speaks for an answer, and how much of it must agree."""
    chain: Literal["content", "reasoning_content"] = "content"
    """Where the chain goes: into the answer's text, or apart from it, with the answer alone as the text."""
    preference: bool = False
    """Make preference data: every example also has `prompt`, `chosen` and `rejected` in TRL's layout, with what
    separates them; where nothing worse was made, there is no example."""


class CotSpec(SolvedSpec):
    """Chains of thought for a seed's question, kept when the answer is right.

    Roles: `solver`, `programmer`, `critic`, `reviser`, `judge`. Seed fields: `question`, and `answer` where it is
    known; otherwise chains and programs that agree decide."""

    near_own_seed = True
    kind: Literal["cot"]
    """Chains of thought for a seed's question."""
    difficulty: DifficultySpec = DifficultySpec()
    """Keep only questions this difficult for the solvers."""


class AnswerSpec(SolvedSpec):
    """More correct answers to a seed's question, in other words and ways.

    Roles: those of `cot`. Seed fields: `question`, `answer`."""

    needs = ("question", "answer")
    near_own_seed = True
    kind: Literal["answer"]
    """More correct answers to a seed's question."""


class QuestionSpec(SolvedSpec):
    """A new question in a seed's spirit, kept when chains of thought and programs agree on its answer.

    Roles: `writer`, and those of `cot`. Seed field: `question`."""

    roles = ("writer", *ENSEMBLE_ROLES)
    writers = ("writer",)
    kind: Literal["question"]
    """A new question in a seed's spirit."""


class EvolveSpec(SolvedSpec):
    """A seed's question made harder, kept when chains of thought and programs agree on its answer.

    Roles: `writer`, and those of `cot`. Seed field: `question`."""

    roles = ("writer", *ENSEMBLE_ROLES)
    writers = ("writer",)
    near_own_seed = True
    kind: Literal["evolve"]
    """A seed's question made harder."""


class PersonaSpec(SolvedSpec):
    """A seed's question retold in one person's world; its numbers and its answer stay.

    Roles: `writer`, and those of `cot`. Seed fields: `question`, `answer` where it is known."""

    roles = ("writer", *ENSEMBLE_ROLES)
    writers = ("writer",)
    near_own_seed = True
    kind: Literal["persona"]
    """A seed's question retold for somebody."""
    personas: list[str] = []
    """For whom, such as `a nurse on night shift`. Unset: the recipe's personas, else the seed's field `persona`."""


class BackwardSpec(SolvedSpec):
    """A number of a seed's question becomes x and the answer is given: what is x? (FOBAR)

    Roles: those of `cot`. Seed fields: `question`, `answer`."""

    needs = ("question", "answer")
    near_own_seed = True
    kind: Literal["backward"]
    """A seed's question asked backwards."""


class ClassifySpec(GeneratorSpec):
    """Texts for a classifier, written for the label of a seed, kept when a judge gives them that label.

    Roles: `writer`, `judge`. Seed fields: `text`, `label`."""

    roles = ("writer", "judge")
    writers = ("writer",)
    needs = ("text", "label")
    kind: Literal["classify"]
    """Texts for a classifier."""
    examples: Whole = Field(4, ge=1, le=50)
    """Seeds of the label that the writer sees."""


class ToolUseSpec(GeneratorSpec):
    """Conversations in which an assistant with tools serves a simulated user, verified by the environment's state.

    Roles: `planner` (puts tasks into words), `user`, `assistant`. Needs no seeds."""

    roles = ("planner", "user", "assistant")
    kind: Literal["tool_use"]
    """Verified tool-use conversations."""
    environment: str
    """The name of a folder in `envs/`, beside the recipe or shipped, or a path."""
    max_turns: Whole = Field(20, ge=1, le=200)
    """Most answers of the assistant in one conversation."""
    actions: Whole = Field(1, ge=1, le=5)
    """A task takes from one to so many calls that change something."""
    solutions: Whole = Field(1, ge=1, le=8)
    """Conversations for a task; the best is kept."""
    faults: FaultsSpec = FaultsSpec()
    """Faults injected into tool calls."""


class CustomSpec(GeneratorSpec):
    """Your own ensemble: ordered steps of agent and prompt, then what is accepted and what goes out."""

    writers = None
    kind: Literal["custom"]
    """Your own ensemble of steps."""
    steps: list[StepSpec] = Field(min_length=1)
    """In this order; each sees what the steps before it made."""
    accept: str | None = None
    """A template; the attempt is rejected when it renders to false, 0, no, none or nothing."""
    output: OutputTemplate
    """What the example consists of."""


class PluginSpec(GeneratorSpec):
    """A generator of your own, in Python."""

    writers = None
    kind: Annotated[str, Field(pattern=CLASS_PATH)]
    """`module:Class`; the class implements `synth.generators.base.Generator`."""
    options: Json = {}
    """Given to the class."""


def _kind_tag(value: Any) -> str | None:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    if not isinstance(kind, str):
        return None
    return "<plugin>" if ":" in kind else f"<{kind}>"


Generator = Annotated[
    Annotated[RephraseSpec, Tag("<rephrase>")]
    | Annotated[CotSpec, Tag("<cot>")]
    | Annotated[AnswerSpec, Tag("<answer>")]
    | Annotated[QuestionSpec, Tag("<question>")]
    | Annotated[EvolveSpec, Tag("<evolve>")]
    | Annotated[PersonaSpec, Tag("<persona>")]
    | Annotated[BackwardSpec, Tag("<backward>")]
    | Annotated[ClassifySpec, Tag("<classify>")]
    | Annotated[ToolUseSpec, Tag("<tool_use>")]
    | Annotated[CustomSpec, Tag("<custom>")]
    | Annotated[PluginSpec, Tag("<plugin>")],
    Discriminator(_kind_tag),
]
KINDS: dict[str, type[GeneratorSpec]] = {
    "rephrase": RephraseSpec,
    "cot": CotSpec,
    "answer": AnswerSpec,
    "question": QuestionSpec,
    "evolve": EvolveSpec,
    "persona": PersonaSpec,
    "backward": BackwardSpec,
    "classify": ClassifySpec,
    "tool_use": ToolUseSpec,
    "custom": CustomSpec,
}


class BudgetSpec(Spec):
    """Hard limits: no call is sent that could pass one. Any of them ends a run cleanly, to be resumed."""

    usd: Number | None = Field(None, gt=0)
    """US dollars for all model calls."""
    tokens: Whole | None = Field(None, ge=1)
    """Input and output tokens of all model calls."""
    minutes: Number | None = Field(None, gt=0)
    """Minutes that one invocation may run."""
    attempts: Number = Field(5, ge=1)
    """Attempts per accepted example, over the whole generator."""


class OutputSpec(Spec):
    formats: list[Literal["messages", "alpaca", "sharegpt", "llama3", "hermes", "dpo", "parquet"]] = ["messages"]
    """What is written to `dataset/`: rows in full always; for every other format here a folder of its own."""


class Recipe(Spec):
    """A synth recipe: seeds, models, and generators that make exactly `count` accepted examples each."""

    name: Name
    """Names the default run folder, `runs/<name>`."""
    seed: Whole = Field(0, ge=0, lt=2**63)
    """RNG seed: same seed and same model responses, same dataset, byte for byte."""
    models: dict[Name, ModelSpec] = Field(min_length=1)
    """At least one; the first is the default for every agent."""
    seeds: SeedsSpec | None = None
    """The small curated set to expand."""
    generate: list[Generator] = Field(min_length=1)
    """One entry per generator."""
    axes: dict[Name, Axis] = {}
    """Attributes that every example gets a combination of: `mood: [calm, angry]`, or a mapping with weights, a numeric
    range, or values that depend on another axis."""
    exclude: list[Exclusion] = []
    """Combinations that no example gets: `{mood: angry, channel: [email, letter]}` excludes two."""
    coverage: Whole = Field(2, ge=1, le=3)
    """The first rows of every generator cover all combinations of so many axes (2: every pair of values)."""
    long_tail: LongTailSpec = LongTailSpec()
    """Shares of examples that are written as real people also write."""
    personas: PersonasSpec | None = None
    """Who speaks: every example gets a persona. `{}` takes the 500 and more that come with synth."""
    diversity: Annotated[
        Annotated[Literal["off"], Tag("<text>")] | Annotated[DiversitySpec, Tag("<mapping>")],
        text_or_mapping("must be 'off', or a mapping such as {max_similarity: 0.9}"),
    ] = DiversitySpec(embedder="off")
    """Rejection of near-duplicates; `off` keeps everything. Unset: by wording only. `{}`: by meaning too."""
    gates: list[Gate] = []
    """Look at every finished attempt, in this order; the first that says no rejects it. A bare name means defaults."""
    budget: BudgetSpec = BudgetSpec()
    """Hard limits of a run."""
    cache: bool = False
    """Share answers between runs of edited recipes: what has been asked before is not paid for again."""
    output: OutputSpec = OutputSpec()
    """What is written for the accepted examples."""

    @property
    def compares_meanings(self) -> bool:
        """Whether examples are compared by their embeddings: a `diversity:` section asks for it."""
        return self.diversity != "off" and self.diversity.embedder != "off"

    @property
    def default_model(self) -> str:
        return next(iter(self.models))


def dump(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain data in the user's own names, defaults filled in."""
    return recipe.model_dump(mode="json", by_alias=True)
