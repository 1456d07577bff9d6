// The overview: figures, tables, pictures.

import * as api from "./api.js";
import { drawing, duration, h, number, percent, short, usd } from "./dom.js";

export class Overview {
  constructor() {
    this.element = h("div", { class: "overview" });
    this.head = h("div", { class: "figures-box" });
    this.tables = h("div", { class: "tables" });
    this.pictures = h("div", { class: "pictures" });
    this.element.append(this.head, this.tables, h("section", { "aria-label": "Pictures" }, this.pictures));
    this.mapBy = "generator";
    this.drawn = null;
  }

  show(now) {
    this.head.replaceChildren(figures(now), ...notes(now));
    this.tables.replaceChildren(generators(now), rejections(now), ...marks(now));
    const state = `${now.attempts} ${now.status} ${JSON.stringify(now.marks)} ${this.mapBy}`;
    if (!now.reading && state !== this.drawn) {
      this.drawn = state;
      this.draw();
    }
  }

  async draw() {
    const { pictures, map_by: choices } = await api.pictures(this.mapBy);
    this.pictures.replaceChildren(...pictures.map((picture) => this.figure(picture, choices)));
  }

  figure(picture, choices) {
    const svg = drawing(picture.svg);
    svg.addEventListener("click", (event) => {
      const key = event.target.closest("[data-key]")?.dataset.key;
      if (key) location.hash = `#/examples?id=${encodeURIComponent(key)}`;
    });
    const choose =
      picture.name === "map" &&
      h("select", { "aria-label": "What the map's colours say", onchange: (event) => this.recolour(event.target.value) },
        choices.map((one) => h("option", { value: one, selected: one === this.mapBy }, one.replace(":", ": "))));
    return h("figure", { class: "picture", id: `picture-${picture.name}` }, choose, h("h3", {}, picture.title), h("figcaption", {}, picture.caption), svg);
  }

  recolour(by) {
    this.mapBy = by;
    this.draw();
  }
}

function figures(now) {
  const took = now.seconds === null ? "so far" : duration(now.seconds);
  const figure = (name, value, more) => h("div", {}, h("dt", {}, name), h("dd", {}, value, more && h("small", {}, ` ${more}`)));
  return h("dl", { class: "figures" },
    figure("accepted", number(now.accepted), `of ${number(now.requested)}`),
    figure("attempts", number(now.attempts), now.attempts ? `${percent(now.accepted, now.attempts)} accepted` : ""),
    figure("tokens", short(now.tokens.input + now.tokens.output), `${short(now.tokens.input)} in, ${short(now.tokens.output)} out`),
    figure("cost", usd(now.cost_usd), now.accepted && now.cost_usd ? `${usd(now.cost_usd / now.accepted)} each` : ""),
    figure("model calls", number(now.calls)),
    figure("time", took, now.accepted && now.seconds / now.accepted >= 0.1 ? `${duration(now.seconds / now.accepted)} each` : ""));
}

function* notes(now) {
  if (now.reading) yield h("p", { class: "muted" }, `Reading ${number(now.reading.done)} of ${number(now.reading.of)} attempts …`);
  if (now.message) yield h("p", { class: "note" }, `${now.message}. `, h("span", { class: "muted" }, now.hint));
  if (now.trouble) yield h("p", { class: "note" }, now.trouble);
}

function generators(now) {
  const row = (g) => {
    const bar = h("i");
    bar.style.width = `${Math.min(100, (100 * g.accepted) / (g.requested || 1))}%`;
    return h("tr", {},
      h("td", {}, h("a", { href: `#/examples?generator=${encodeURIComponent(g.id)}` }, g.id), " ", h("span", { class: "muted" }, g.kind), h("span", { class: "bar", "aria-hidden": "true" }, bar)),
      h("td", { class: "n" }, number(g.accepted)), h("td", { class: "n" }, number(g.requested)),
      h("td", { class: "n" }, number(g.attempts)), h("td", { class: "n" }, percent(g.accepted, g.attempts)));
  };
  const head = ["accepted", "asked", "attempts", "rate"].map((name) => h("th", { class: "n", scope: "col" }, name));
  return h("section", {}, h("h2", {}, "Generators"),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "id"), head)), h("tbody", {}, now.generators.map(row))),
    h("p", { class: "muted" }, "Models: ", Object.entries(now.models).map(([name, model]) => `${name} (${model})`).join(", ")));
}

function rejections(now) {
  const gates = Object.entries(now.rejected);
  const all = now.attempts - now.accepted;
  const rows = gates.map(([gate, count]) =>
    h("tr", {}, h("td", {}, h("a", { href: `#/examples?gate=${encodeURIComponent(gate)}` }, gate)), h("td", { class: "n" }, number(count)), h("td", { class: "n" }, percent(count, all))));
  const table = h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "gate"), h("th", { class: "n", scope: "col" }, "attempts"), h("th", { class: "n", scope: "col" }, "share"))), h("tbody", {}, rows));
  return h("section", {}, h("h2", {}, "Why attempts were rejected"), gates.length ? table : h("p", { class: "muted" }, "None was."));
}

function* marks(now) {
  const found = Object.entries(now.marks);
  if (!found.length) return;
  const rows = found.map(([mark, count]) => h("tr", {}, h("td", {}, h("a", { href: `#/examples?mark=${mark}` }, mark)), h("td", { class: "n" }, number(count))));
  yield h("section", {}, h("h2", {}, "Marks"), h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "mark"), h("th", { class: "n", scope: "col" }, "examples"))), h("tbody", {}, rows)));
}
