// Elements from data. Texts become text nodes: nothing that an example says is ever read as markup.

/** An element with properties (on…: listeners, data-…/aria-…/others: attributes) and children (nodes, texts, lists). */
export function h(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** `text` with every occurrence of some words in <mark>. */
export function highlighted(text, words) {
  if (!words.length) return [text];
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return text.split(new RegExp(`(${escaped.join("|")})`, "iu")).map((part, place) => (place % 2 ? h("mark", {}, part) : part));
}

/** A drawing made by synth itself, whose texts were escaped there; as XML, so that nothing else comes in. */
export function drawing(svg) {
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml");
  return document.importNode(parsed.documentElement, true);
}

const whole = new Intl.NumberFormat("en");

export function number(value) {
  return Number.isInteger(value) ? whole.format(value) : String(Number(value.toPrecision(3)));
}

export function short(value) {
  if (value < 10000) return number(Math.round(value));
  return value < 1e6 ? `${(value / 1e3).toFixed(1)}k` : `${(value / 1e6).toFixed(2)}M`;
}

export function usd(value) {
  if (!value) return "$0";
  return value >= 0.1 ? `$${value.toFixed(2)}` : `$${value.toPrecision(2)}`;
}

export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const all = Math.round(seconds);
  if (all < 60) return `${all} s`;
  if (all < 3600) return `${Math.floor(all / 60)} min ${String(all % 60).padStart(2, "0")} s`;
  return `${Math.floor(all / 3600)} h ${String(Math.floor((all % 3600) / 60)).padStart(2, "0")} min`;
}

export function percent(part, of) {
  return of ? `${Math.round((100 * part) / of)}%` : "–";
}
