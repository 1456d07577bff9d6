// The list of examples: as long as it is, with only what is in sight fetched and drawn.

import * as api from "./api.js";
import { h, highlighted, number } from "./dom.js";

const HEIGHT = 52;
const BLOCK = 100;
const TALLEST = 10_000_000; // pixels that every browser can scroll over

export class List {
  /** `opened(row)` is called for what is chosen, `counted(total)` when a filter has been answered. */
  constructor(opened, counted) {
    this.opened = opened;
    this.counted = counted;
    this.all = h("div", { class: "all", role: "presentation" });
    this.element = h("div", { class: "list", role: "listbox", tabindex: 0, "aria-label": "Examples", onscroll: () => this.draw() }, this.all);
    this.element.addEventListener("click", (event) => {
      const item = event.target.closest("[data-place]");
      if (item) this.select(Number(item.dataset.place), true);
    });
    new ResizeObserver(() => this.draw()).observe(this.element);
    this.params = new URLSearchParams();
    this.reset();
  }

  reset() {
    this.blocks = new Map();
    this.total = 0;
    this.selected = -1;
  }

  /** Show what a filter finds; the example `id` is chosen if it is among them. */
  async ask(params, id) {
    this.params = params;
    this.reset();
    this.element.scrollTop = 0;
    const place = await this.fetch(0, id);
    if (this.params !== params) return;
    if (place !== null && place !== undefined) this.select(place, false);
    this.draw();
  }

  /** The same filter again: the run has gone on. */
  async refresh() {
    const known = [...this.blocks.keys()].filter((block) => this.inSight(block));
    const params = this.params;
    const fresh = new Map();
    let total = this.total;
    for (const block of known.length ? known : [0]) {
      const answer = await this.request(block);
      if (this.params !== params) return;
      fresh.set(block, answer.rows);
      total = answer.total;
    }
    this.blocks = fresh;
    this.setTotal(total);
    this.draw();
  }

  async request(block, around) {
    const asked = new URLSearchParams(this.params);
    asked.set("first", block * BLOCK);
    asked.set("most", BLOCK);
    if (around) asked.set("around", around);
    return api.examples(asked);
  }

  async fetch(block, around) {
    const params = this.params;
    this.blocks.set(block, null);
    const answer = await this.request(block, around);
    if (this.params !== params) return null;
    this.blocks.set(block, answer.rows);
    this.setTotal(answer.total);
    this.draw();
    return answer.place;
  }

  setTotal(total) {
    this.total = total;
    this.all.style.height = `${Math.min(total * HEIGHT, TALLEST)}px`;
    this.counted(total);
  }

  get visible() {
    return this.element.clientHeight || 600;
  }

  /** Rows are drawn where they are seen: beyond TALLEST a pixel of the scroll bar is several. */
  get top() {
    const real = this.total * HEIGHT;
    if (real <= TALLEST) return this.element.scrollTop;
    return (this.element.scrollTop / (TALLEST - this.visible)) * (real - this.visible);
  }

  inSight(block) {
    return (block + 1) * BLOCK * HEIGHT > this.top - 400 && block * BLOCK * HEIGHT < this.top + this.visible + 400;
  }

  row(place) {
    return this.blocks.get(Math.floor(place / BLOCK))?.[place % BLOCK];
  }

  draw() {
    const top = this.top;
    const first = Math.max(0, Math.floor(top / HEIGHT) - 4);
    const last = Math.min(this.total, Math.ceil((top + this.visible) / HEIGHT) + 4);
    const shift = this.element.scrollTop - top;
    const words = (this.params.get("q") ?? "").match(/[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*/gu) ?? [];
    const items = [];
    for (let place = first; place < last; place++) {
      const block = Math.floor(place / BLOCK);
      if (!this.blocks.has(block)) this.fetch(block);
      const item = this.item(place, this.row(place), words);
      item.style.top = `${place * HEIGHT + shift}px`;
      items.push(item);
    }
    this.all.replaceChildren(...items);
    if (!this.total && this.blocks.get(0)) this.all.replaceChildren(h("p", { class: "empty", role: "presentation" }, this.params.get("q") && !words.length ? "Only words and numbers can be searched for." : "Nothing is like that."));
    this.element.toggleAttribute("aria-activedescendant", false);
    if (this.selected >= first && this.selected < last) this.element.setAttribute("aria-activedescendant", `item-${this.selected}`);
  }

  item(place, row, words) {
    const props = { class: "item", role: "option", id: `item-${place}`, "data-place": place, "data-unit": row?.id, "aria-selected": String(place === this.selected), "aria-posinset": place + 1, "aria-setsize": this.total };
    if (!row) return h("div", props, h("span", { class: "muted" }, "…"));
    return h("div", props,
      h("div", { class: "line" }, h("b", {}, row.id), row.seed !== null && h("span", { class: "grow" }, row.seed), row.seed === null && h("span", { class: "grow" }),
        row.score !== null && h("span", {}, number(row.score)),
        row.mark && h("span", { class: `badge ${row.mark}` }, row.mark),
        h("span", { class: `badge ${row.gate === null ? "accepted" : "rejected"}`, title: row.reason }, row.gate ?? "accepted")),
      h("div", { class: "text" }, highlighted(row.excerpt || row.reason, words)));
  }

  /** Choose the example at a place, and bring it into sight. */
  select(place, open) {
    if (!this.total) return;
    this.selected = Math.max(0, Math.min(this.total - 1, place));
    const at = this.selected * HEIGHT;
    const slack = this.visible - HEIGHT;
    if (at < this.top) this.scrollTo(at);
    else if (at > this.top + slack) this.scrollTo(at - slack);
    this.draw();
    this.whenThere(this.selected, (row) => this.opened(row, open));
  }

  scrollTo(top) {
    const real = this.total * HEIGHT;
    this.element.scrollTop = real <= TALLEST ? top : (top / (real - this.visible)) * (TALLEST - this.visible);
  }

  async whenThere(place, then) {
    const block = Math.floor(place / BLOCK);
    if (!this.blocks.get(block)) await this.fetch(block);
    const row = this.row(place);
    if (row && this.selected === place) then(row);
  }

  /** The mark of a row that is shown. */
  setMark(id, mark) {
    for (const rows of this.blocks.values()) for (const row of rows ?? []) if (row.id === id) row.mark = mark;
    this.draw();
  }
}
