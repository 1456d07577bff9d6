// One example: what was said, its seed beside it, its neighbours, and every call behind it.

import * as api from "./api.js";
import { duration, h, number, usd } from "./dom.js";
import { difference, fold, pretty, talk } from "./talk.js";

const KNOWN = new Set(["id", "kind", "generator", "seed_id", "messages", "tools", "attributes", "scores", "lineage", "gate", "reason", "score", "text", "nearest"]);

export class Reader {
  /** `marked(id, mark)` and `closed()` are told; `filter(name, value)` asks for a list. */
  constructor({ marked, closed, open }) {
    this.marked = marked;
    this.open = open;
    this.element = h("article", { class: "reader", tabindex: -1, "aria-label": "Example" });
    this.closed = closed;
    this.id = null; // of what is chosen; `data` follows when it has come
    this.coming = null;
    this.given = new Map(); // marks given here: an answer may have been read from disk before them
    this.tab = "seed";
    this.clear();
  }

  clear() {
    this.id = null;
    this.data = null;
    this.element.replaceChildren(h("p", { class: "empty" }, "Choose an example: ", h("kbd", {}, "j"), " and ", h("kbd", {}, "k"), " walk through them."));
  }

  async show(id) {
    this.id = id;
    if (this.data?.id === id || this.coming === id) return;
    this.coming = id;
    let data;
    try {
      data = await api.example(id);
    } catch (error) {
      if (this.id === id) {
        this.data = null;
        this.element.replaceChildren(h("p", { class: "empty" }, error.message));
      }
      return;
    } finally {
      if (this.coming === id) this.coming = null;
    }
    if (this.id !== id) return;
    this.data = data;
    if (this.given.has(id)) data.mark = this.given.get(id);
    this.element.scrollTop = 0;
    this.draw();
  }

  draw() {
    const { id, gate, row, seed } = this.data;
    this.marks = h("div", { class: "marks", role: "group", "aria-label": "Mark" });
    this.drawMarks();
    const body = row.messages?.length ? talk(row.messages) : row.text ? kept(row.text) : h("p", { class: "muted" }, "It said nothing that was kept.");
    this.panel = h("div", { role: "tabpanel", "aria-label": "Beside it" });
    this.tabs = h("div", { class: "tabs", role: "tablist", "aria-label": "Beside it" });
    this.element.replaceChildren(
      h("div", { class: "head" },
        h("button", { class: "back", type: "button", onclick: () => this.closed() }, "← List"),
        h("h2", {}, id), h("span", { class: `badge ${gate === null ? "accepted" : "rejected"}` }, gate === null ? "accepted" : `rejected: ${gate}`), this.marks),
      facts(row),
      ...(gate === null ? [] : [h("p", { class: "reason" }, row.reason || "No reason was given.")]),
      h("div", { class: seed ? "cols with-seed" : "cols" }, h("div", {}, body, extras(row)), seed && seedCard(row.seed_id, seed)),
      h("section", { class: "more", "aria-label": "More" }, this.tabs, this.panel));
    this.choose(this.tab === "seed" && !this.data.siblings.length ? "neighbours" : this.tab, false);
  }

  drawMarks() {
    const button = (mark, key) =>
      h("button", { type: "button", class: mark, "aria-pressed": String(this.data.mark === mark), onclick: () => this.mark(mark) }, mark, " ", h("kbd", {}, key));
    this.marks.replaceChildren(button("good", "g"), button("bad", "b"), button("unsure", "u"));
  }

  /** Set a mark of what is chosen, even before it has come, or take it back where it is there already. */
  async mark(mark) {
    const id = this.id;
    const before = this.given.has(id) ? this.given.get(id) : (this.data?.id === id ? this.data : await api.example(id)).mark;
    const wanted = before === mark ? null : mark;
    this.given.set(id, wanted);
    try {
      await api.mark(id, wanted);
    } catch (error) {
      this.given.delete(id);
      throw error;
    }
    this.marked(id, wanted);
    if (this.data?.id !== id) return;
    this.data.mark = wanted;
    this.drawMarks();
  }

  /** Show what is beside it; `keep` for the examples that come after, too. */
  choose(tab, keep = true) {
    if (keep) this.tab = tab;
    this.shown = tab;
    if (!this.data) return;
    const names = { seed: `Same seed (${this.data.siblings.length})`, neighbours: "Nearest neighbours", calls: `Calls (${this.data.row.lineage?.calls?.length ?? 0})` };
    this.tabs.replaceChildren(...Object.entries(names).map(([name, label]) =>
      h("button", { type: "button", role: "tab", "aria-selected": String(name === tab), onclick: () => this.choose(name) }, label)));
    const show = { seed: () => this.showSiblings(), neighbours: () => this.showNeighbours(), calls: () => this.showCalls() };
    show[tab]();
  }

  showSiblings() {
    const { siblings } = this.data;
    if (!siblings.length) return this.panel.replaceChildren(h("p", { class: "muted" }, "Nothing else was made from its seed."));
    this.beside = h("div");
    const choose = async (one, button) => {
      press(button);
      const other = await api.example(one.id);
      this.compare({ id: one.id, gate: other.gate, row: other.row });
    };
    this.panel.replaceChildren(h("div", { class: "others" }, siblings.map((one) => othersButton(one, null, choose))), this.beside);
    const button = this.panel.querySelector("button");
    const wanted = siblings.findIndex((one) => (one.gate === null) !== (this.data.gate === null));
    if (wanted >= 0) choose(siblings[wanted], this.panel.querySelectorAll("button")[wanted]);
    else choose(siblings[0], button);
  }

  async showNeighbours() {
    const data = this.data;
    this.panel.replaceChildren(h("p", { class: "muted" }, "Looking …"));
    const { by, near } = await api.neighbours(data.id);
    if (this.data !== data || this.shown !== "neighbours") return;
    if (!near.length) return this.panel.replaceChildren(h("p", { class: "muted" }, "Nothing is like it."));
    this.beside = h("div");
    const how = by === "meaning" ? "By meaning: the cosine of embeddings." : "By wording: the share of three-word shingles in common.";
    const choose = (one, button) => {
      press(button);
      this.compare(one);
    };
    const line = (one) => ({ ...one, excerpt: textOf(one.row), reason: one.row.reason });
    this.panel.replaceChildren(h("p", { class: "muted" }, how), h("div", { class: "others" }, near.map((one) => othersButton(line(one), one.similarity, () => choose(one)))), this.beside);
    this.panel.querySelectorAll(".others button").forEach((button, place) => button.addEventListener("click", () => choose(near[place], button)));
    choose(near[0], this.panel.querySelector(".others button"));
  }

  compare(other) {
    const [left, right] = difference(partLike(this.data.row, other.row), partLike(other.row, this.data.row));
    const side = (id, gate, parts, link) =>
      h("div", {}, h("h3", {}, link ? h("a", { href: "#", onclick: (event) => { event.preventDefault(); this.open(id); } }, id) : id, " ",
        h("span", { class: `badge ${gate === null ? "accepted" : "rejected"}` }, gate ?? "accepted")), h("div", { class: "said plain" }, parts));
    const reason = other.row.reason && h("p", { class: "reason" }, other.row.reason);
    const right_side = side(other.id, other.gate, right, true);
    if (reason) right_side.append(reason);
    this.beside.replaceChildren(h("div", { class: "beside" }, side(this.data.id, this.data.gate, left, false), right_side));
  }

  async showCalls() {
    const data = this.data;
    this.panel.replaceChildren(h("p", { class: "muted" }, "Looking …"));
    const { calls } = await api.calls(data.id);
    if (this.data !== data || this.shown !== "calls") return;
    let before = [];
    const parts = calls.map((call, place) => {
      const asked = call.request.messages;
      let same = 0;
      while (same < asked.length && same < before.length && asked[same].role === before[same].role && asked[same].content === before[same].content) same++;
      if (same < 2) same = 0;
      before = [...asked, call.response.message];
      const words = [`${place + 1}. ${call.id.slice(call.id.indexOf("/") + 1)}`, `to ${call.model}`, `${number(call.input)} + ${number(call.output)} tokens`, duration(call.seconds), call.cost_usd === null ? "no known price" : usd(call.cost_usd)];
      if (call.tries > 1) words.push(`${call.tries} tries`);
      if (call.source === "cache") words.push("from the cache");
      if (call.response.stop !== "stop") words.push(`stopped by ${call.response.stop}`);
      return h("div", { class: "call" }, h("h3", {}, words.map((word, n) => h("span", { class: n ? "muted" : "" }, word))),
        same ? h("p", { class: "muted" }, `${same} messages as above`) : null,
        talk([...asked.slice(same), call.response.message]),
        call.request.schema ? fold("answer as JSON, by this schema", JSON.stringify(call.request.schema, null, 2), true) : null);
    });
    this.panel.replaceChildren(...(parts.length ? parts : [h("p", { class: "muted" }, "No model was asked.")]));
  }
}

function press(button) {
  for (const other of button.parentElement.children) other.setAttribute("aria-pressed", String(other === button));
}

function othersButton(one, similarity, choose) {
  const button = h("button", { type: "button", "aria-pressed": "false" },
    similarity !== null && h("b", {}, similarity.toFixed(2)), h("span", { class: "muted" }, one.id),
    h("span", { class: `badge ${one.gate === null ? "accepted" : "rejected"}` }, one.gate ?? "accepted"), h("span", { class: "text" }, one.excerpt || one.reason));
  button.addEventListener("click", () => choose(one, button));
  return button;
}

function saidIn(row) {
  return (row.messages ?? []).filter((m) => (m.role === "user" || m.role === "assistant") && typeof m.content === "string").map((m) => m.content);
}

function textOf(row) {
  const said = saidIn(row);
  return said.length ? said.join("\n\n") : row.text ?? "";
}

/** What of a row to hold against another: all of it, or, where of the other only one text was kept, what is most like that. */
function partLike(row, other) {
  if (other.messages?.length || !other.text) return textOf(row);
  const words = new Set(other.text.split(/\s+/));
  const likeness = (text) => {
    const own = new Set(text.split(/\s+/));
    return [...own].filter((word) => words.has(word)).length / new Set([...own, ...words]).size;
  };
  return [textOf(row), ...saidIn(row)].sort((a, b) => likeness(b) - likeness(a))[0];
}

function kept(text) {
  return h("div", { class: "turn" }, h("div", { class: "who" }, "what was kept of it"), h("div", { class: "said" }, text));
}

function facts(row) {
  const parts = [h("span", {}, row.kind)];
  const add = (name, value, link) => parts.push(h("span", {}, `${name} `, link ? h("a", { href: link }, value) : h("b", {}, value)));
  if (row.seed_id !== null && row.seed_id !== undefined) add("seed", row.seed_id, `#/examples?seed=${encodeURIComponent(row.seed_id)}`);
  for (const [name, value] of Object.entries(row.attributes ?? {})) {
    const text = Array.isArray(value) ? value.join(", ") : String(value);
    add(name, text, Array.isArray(value) ? null : `#/examples?attribute=${encodeURIComponent(`${name}=${text}`)}`);
  }
  for (const [name, value] of Object.entries(row.scores ?? {})) add(name, typeof value === "number" ? number(value) : String(value));
  if (row.score !== null && row.score !== undefined) add("score", number(row.score));
  const lineage = row.lineage;
  if (lineage?.tokens) add("tokens", number(lineage.tokens.input + lineage.tokens.output));
  if (lineage?.cost_usd) add("cost", usd(lineage.cost_usd));
  return h("div", { class: "facts" }, parts);
}

function seedCard(id, fields) {
  return h("aside", { class: "seedcard", "aria-label": "Its seed" }, h("h3", {}, `Seed ${id}`),
    h("dl", {}, Object.entries(fields).filter(([name]) => name !== "id").map(([name, value]) => [h("dt", {}, name), h("dd", {}, typeof value === "string" ? value : JSON.stringify(value))])));
}

/** What a kind adds to its rows: goals, actions, state changes. */
function extras(row) {
  const plain = [];
  if (row.nearest?.length) plain.push(h("span", {}, "too near to ", h("b", {}, row.nearest.join(", "))));
  const parts = Object.entries(row).filter(([name]) => !KNOWN.has(name)).map(([name, value]) => {
    const label = name.replaceAll("_", " ");
    if (name === "changes" && Array.isArray(value)) return stateChanges(value);
    if (name === "chosen" && Array.isArray(row.rejected)) return pair(value, row.rejected);
    if (name === "rejected" && Array.isArray(row.chosen)) return null;
    if (typeof value === "object" && value !== null) return fold(label, pretty(JSON.stringify(value)), true);
    plain.push(h("span", {}, `${label} `, h("b", {}, String(value))));
    return null;
  });
  if (row.tools?.length) parts.push(fold(`${row.tools.length} tools: ${row.tools.map((tool) => tool.function?.name ?? "").join(", ")}`, JSON.stringify(row.tools, null, 2), true));
  if (plain.length) parts.unshift(h("div", { class: "facts" }, plain));
  return h("div", { class: "extras" }, parts);
}

/** What the tools changed in the environment, call by call. */
function stateChanges(calls) {
  const shown = (value) => (value === undefined || value === null ? "nothing" : value === "" ? "“”" : typeof value === "string" ? value : JSON.stringify(value));
  const line = (change) => {
    const before = "before" in change && h("del", {}, shown(change.before));
    const after = "after" in change && h("ins", {}, shown(change.after));
    return h("li", {}, h("code", {}, change.path), before && after ? " " : before ? " is gone, was " : " is new, ", before, before && after && " → ", after);
  };
  return h("section", { class: "changes", "aria-label": "State changes" }, h("h3", {}, calls.length ? "What it changed" : "It changed nothing"),
    calls.map((call) => [h("p", {}, h("code", {}, call.tool), h("span", { class: "muted" }, ` call ${call.call + 1}`)), h("ul", {}, (call.changes ?? []).map(line))]));
}

/** The two sides of a preference pair, beside each other. */
function pair(chosen, rejected) {
  const side = (name, messages) => h("div", {}, h("h3", {}, name), talk(messages));
  return h("div", { class: "beside" }, side("chosen", chosen), side("rejected", rejected));
}
