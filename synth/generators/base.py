"""What a kind is: it makes a draft of a unit by asking agents, or says why not. Nothing else differs between kinds."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from synth.agents.agent import Agent, resolve_sampling
from synth.agents.context import UnitContext
from synth.example import Draft, Seed
from synth.messages import Json
from synth.prompts import Template, load_template, shipped_template
from synth.recipe.ensemble import AgentRef, AgentSpec
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.models import ModelSpec, SamplingSpec


class Generator(Protocol):
    """Carries out units of one kind. It keeps no state between units: a unit's draft depends on the unit alone."""

    async def make(self, context: UnitContext) -> Draft:
        """Carry out ``context.unit``. Raises ``Rejected`` with the reason when nothing usable comes of it."""
        ...


@runtime_checkable
class Outlined(Protocol):
    """A kind that can say what it asks without an answer to go by. For ``synth plan``.

    A shipped kind needs this only where ``make`` would stop at an answer that means nothing; a user's own kind is not
    estimated without it.
    """

    async def outline(self, context: UnitContext) -> None:
        """Ask everything that an attempt which goes well asks. Each answer is the agent's role in quotation marks."""
        ...


@runtime_checkable
class Opened(Protocol):
    """A kind that needs something running while it makes drafts, such as an environment's workers."""

    def opened(self) -> AbstractAsyncContextManager[None]:
        """Entered once, before the first unit."""
        ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What a generator is made from: its entry in the recipe, and how that recipe's agents are built."""

    spec: GeneratorSpec
    models: Mapping[str, ModelSpec]
    base: Path
    seeds: tuple[Seed, ...] = ()
    prompts: dict[str, str] = field(default_factory=dict)
    """Name and hash of every template that an agent was built with so far."""
    sources: dict[str, str] = field(default_factory=dict)
    """Their texts, by hash."""

    def agent(
        self,
        role: str,
        *,
        sampling: SamplingSpec,
        schema: Json | None = None,
        template: str = "",
        ref: AgentRef | None = None,
    ) -> Agent:
        """The agent that plays ``role``, with the recipe's choice of model, prompt and sampling, else the kind's own.

        ``template`` names the shipped prompt where it is not ``<kind>/<role>``; ``ref`` is who plays the role where
        ``agents`` does not say.
        """
        own = self.spec.prompts.get(role)
        name = template or f"{self.spec.kind}/{role}"
        prompt = load_template(self.base / own, own) if own else shipped_template(name)
        return self.agent_from(self.spec.agents.get(role, ref), role, prompt, sampling=sampling, schema=schema)

    def agent_from(
        self,
        ref: AgentRef | None,
        role: str,
        prompt: Template,
        *,
        sampling: SamplingSpec | None = None,
        schema: Json | None = None,
        system: Template | None = None,
        repairs: int = 2,
    ) -> Agent:
        """An agent with a prompt of its own."""
        chosen = ref if isinstance(ref, AgentSpec) else AgentSpec(model=ref or next(iter(self.models)))
        for template in (prompt, system):
            if template is not None:
                self.prompts[template.name] = template.hash
                self.sources[template.hash] = template.source
        layers = (sampling or SamplingSpec(), self.models[chosen.model].sampling, chosen.sampling)
        writes = self.spec.writers is None or role.rstrip("0123456789") in self.spec.writers  # "solver1" is a solver
        decode = self.spec.decode if writes else None
        return Agent(role, chosen.model, prompt, resolve_sampling(*layers), schema, system, repairs, decode)
