// The examples: filters, the list, and the one that is read.

import * as api from "./api.js";
import { h, number } from "./dom.js";
import { List } from "./list.js";
import { Reader } from "./reader.js";

const NAMES = ["q", "generator", "verdict", "gate", "seed", "attribute", "score", "least", "mark", "order"];
const PAUSE = 120;

export class Examples {
  constructor() {
    this.reader = new Reader({ marked: (id, mark) => this.list.setMark(id, mark), closed: () => this.close(), open: (id) => this.go({ id }) });
    this.list = new List((row, open) => this.opened(row, open), (total) => this.counted(total));
    this.search = h("input", { type: "search", placeholder: "Search everything that was said", "aria-label": "Search", oninput: () => this.soon() });
    this.filters = h("div", { class: "row" });
    this.count = h("div", { class: "count", role: "status" });
    this.side = h("div", { class: "side" }, h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() }, this.search, this.filters, this.count), this.list.element);
    this.element = h("div", { class: "examples" }, this.side, this.reader.element);
    this.params = null;
    this.facets = null;
  }

  /** Show what an address asks for. */
  async show(params) {
    const id = params.get("id");
    const filter = new URLSearchParams([...params].filter(([name, value]) => NAMES.includes(name) && value));
    const same = this.params !== null && String(filter) === String(this.params);
    this.params = filter;
    if (document.activeElement !== this.search) this.search.value = filter.get("q") ?? "";
    if (!same) {
      this.drawFilters();
      await this.list.ask(filter, id);
    }
    if (id) {
      this.element.classList.add("reading");
      await this.reader.show(id);
    } else this.element.classList.remove("reading");
  }

  async refreshFacets() {
    this.facets = await api.facets();
    const busy = this.filters.contains(document.activeElement);
    if (!busy) this.drawFilters();
  }

  refresh() {
    if (this.params !== null) this.list.refresh();
  }

  go(changes) {
    const params = new URLSearchParams(this.params ?? undefined);
    for (const [name, value] of Object.entries(changes)) {
      if (value) params.set(name, value);
      else params.delete(name);
    }
    const hash = `#/examples${String(params) ? `?${params}` : ""}`;
    if (location.hash !== hash) location.hash = hash;
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.go({ q: this.search.value.trim() }), PAUSE);
  }

  opened(row, open) {
    const wide = getComputedStyle(this.reader.element).display !== "none";
    if (!open && !wide) return;
    if (open) this.go({ id: row.id });
    else {
      this.reader.id = row.id; // keys mean this one from now on
      clearTimeout(this.reading);
      this.reading = setTimeout(() => {
        history.replaceState(null, "", this.address(row.id));
        this.reader.show(row.id);
      }, 40);
    }
  }

  address(id) {
    const params = new URLSearchParams(this.params);
    params.set("id", id);
    return `#/examples?${params}`;
  }

  close() {
    this.element.classList.remove("reading");
    history.replaceState(null, "", `#/examples${String(this.params) ? `?${this.params}` : ""}`);
    this.list.element.focus();
  }

  counted(total) {
    const clear = this.params && String(this.params) && h("button", { type: "button", onclick: () => { this.search.value = ""; location.hash = "#/examples"; } }, "clear filters");
    this.count.replaceChildren(`${number(total)} ${total === 1 ? "attempt" : "attempts"}`, ...(clear ? [clear] : []));
  }

  drawFilters() {
    if (!this.facets || !this.params) return;
    const { gates, attributes, scores, generators, marks } = this.facets;
    const now = (name) => this.params.get(name) ?? "";
    const select = (name, label, options, chosen = now(name)) =>
      h("select", { "aria-label": label, class: chosen ? "on" : "", onchange: (event) => this.change(name, event.target.value) },
        h("option", { value: "" }, label), options.map(([value, text]) => Array.isArray(text)
          ? h("optgroup", { label: value }, text.map(([one, words]) => h("option", { value: one, selected: one === chosen }, words)))
          : h("option", { value, selected: value === chosen }, text)));
    const verdict = now("gate") ? `gate:${now("gate")}` : now("verdict");
    const parts = [
      generators?.length > 1 && select("generator", "any generator", generators.map((one) => [one, one])),
      select("verdict", "any verdict", [["accepted", "accepted"], ["rejected", "rejected"], ...(gates.length ? [["by gate", gates.map(([gate, count]) => [`gate:${gate}`, `${gate} (${number(count)})`])]] : [])], verdict),
      Object.keys(attributes).length && select("attribute", "any attribute", Object.entries(attributes).map(([name, values]) => [name, values.map(([value, count]) => [`${name}=${value}`, `${name}: ${value} (${number(count)})`])])),
      scores.length && select("score", "any score", scores.map(([name]) => [name, name])),
      now("score") && h("input", { class: now("least") ? "least on" : "least", type: "number", step: "any", "aria-label": "Lowest score", placeholder: "at least", value: now("least"), onchange: (event) => this.change("least", event.target.value) }),
      h("input", { class: now("seed") ? "seed on" : "seed", "aria-label": "Seed", placeholder: "seed", value: now("seed"), onchange: (event) => this.change("seed", event.target.value.trim()) }),
      select("mark", "any mark", [["any", "marked"], ["none", "not marked"], ...["good", "bad", "unsure"].map((mark) => [mark, marks[mark] ? `${mark} (${marks[mark]})` : mark])]),
      select("order", "plan order", [["newest", "newest first"], ["longest", "longest first"], ["shortest", "shortest first"], ...(now("score") ? [["highest", "highest score first"], ["lowest", "lowest score first"]] : [])]),
    ];
    this.filters.replaceChildren(...parts.filter(Boolean));
  }

  change(name, value) {
    const changes = { [name]: value, id: "" };
    if (name === "verdict") Object.assign(changes, value.startsWith("gate:") ? { gate: value.slice(5), verdict: "" } : { gate: "" });
    if (name === "score" && !value) Object.assign(changes, { least: "", order: ["highest", "lowest"].includes(this.params.get("order")) ? "" : this.params.get("order") });
    this.go(changes);
  }

  /** A key pressed outside of fields; true where it meant something. */
  key(event) {
    const walk = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    const inReader = this.reader.element.contains(document.activeElement);
    if (walk && !(inReader && event.key.startsWith("Arrow"))) {
      const reading = this.element.classList.contains("reading") && getComputedStyle(this.side).display === "none";
      this.list.select(this.list.selected + walk, reading);
    } else if (event.key === "Enter" && this.list.element.contains(document.activeElement)) {
      const row = this.list.row(this.list.selected);
      if (row) {
        this.go({ id: row.id });
        this.element.classList.add("reading");
        this.reader.element.focus();
      }
    } else if (event.key === "Escape") this.close();
    else if (event.key === "/") this.search.select();
    else if ({ g: 1, b: 1, u: 1 }[event.key] && this.reader.id) this.reader.mark({ g: "good", b: "bad", u: "unsure" }[event.key]);
    else if ({ n: 1, s: 1, c: 1 }[event.key] && this.reader.id) this.reader.choose({ n: "neighbours", s: "seed", c: "calls" }[event.key]);
    else return false;
    return true;
  }
}
