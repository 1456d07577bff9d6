// The page: which view is shown, what the run's state is, and the keys.

import * as api from "./api.js";
import { number } from "./dom.js";
import { Examples } from "./examples.js";
import { Overview } from "./overview.js";

const main = document.getElementById("main");
const overview = new Overview();
const examples = new Examples();
let now = null;
let busy = false;
let again = false;

function route() {
  const [path, query] = location.hash.slice(1).split("?");
  const inExamples = path === "/examples";
  const view = inExamples ? examples : overview;
  if (main.firstElementChild !== view.element) main.replaceChildren(view.element);
  for (const [tab, on] of [["tab-examples", inExamples], ["tab-overview", !inExamples]]) {
    if (on) document.getElementById(tab).setAttribute("aria-current", "page");
    else document.getElementById(tab).removeAttribute("aria-current");
  }
  if (inExamples) examples.show(new URLSearchParams(query));
  else if (now) overview.show(now);
}

/** Ask how the run stands; never twice at once, and once more if it has gone on meanwhile. */
async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    now = await api.overview();
    tell(now);
    if (main.firstElementChild === overview.element) overview.show(now);
    await examples.refreshFacets();
    examples.refresh();
  } catch (error) {
    setStatus("failed", error.message);
  } finally {
    busy = false;
    if (again) {
      again = false;
      setTimeout(refresh, 300);
    }
  }
}

function tell(state) {
  document.title = `${state.name} · synth`;
  document.getElementById("name").textContent = state.name;
  const words = state.reading ? `reading ${number(state.reading.done)} of ${number(state.reading.of)}` : `${state.status}, ${number(state.accepted)} of ${number(state.requested)}`;
  setStatus(state.status, words);
}

function setStatus(kind, words) {
  const status = document.getElementById("status");
  if (status.textContent !== words) status.textContent = words;
  status.className = `status ${kind}`;
}

const themes = ["", "light", "dark"];
function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.getElementById("theme").textContent = { "": "Theme: system", light: "Theme: light", dark: "Theme: dark" }[theme];
}

document.getElementById("theme").addEventListener("click", () => {
  const theme = themes[(themes.indexOf(document.documentElement.dataset.theme ?? "") + 1) % themes.length];
  localStorage.setItem("synth-theme", theme);
  setTheme(theme);
});
setTheme(localStorage.getItem("synth-theme") ?? "");

const help = document.getElementById("keys");
document.getElementById("help").addEventListener("click", () => help.showModal());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  const field = event.target.closest("input, select, textarea");
  if (field) {
    if (event.key === "Escape" || (event.key === "Enter" && field.type === "search")) {
      field.blur();
      if (main.firstElementChild === examples.element) examples.list.element.focus();
    }
    return;
  }
  if (event.key === "?") help.showModal();
  else if (event.key === "o") location.hash = "#/";
  else if (event.key === "e") location.hash = "#/examples";
  else if (event.key === "/" && main.firstElementChild !== examples.element) {
    location.hash = "#/examples";
    setTimeout(() => examples.search.select());
  } else if (main.firstElementChild !== examples.element || !examples.key(event)) return;
  event.preventDefault();
});

window.addEventListener("hashchange", route);
route();
refresh();
api.follow(refresh, () => setStatus("failed", "synth view has ended"));
