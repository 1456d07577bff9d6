// A conversation as people read it: bubbles; tools, reasoning and system prompts folded.

import { h } from "./dom.js";

export function talk(messages, said = (text) => text) {
  const names = new Map();
  for (const message of messages) for (const call of message.tool_calls ?? []) names.set(call.id, call.function.name);
  return h("ol", { class: "talk" }, messages.map((message) => turn(message, names, said)));
}

function turn(message, names, said) {
  const parts = [];
  const content = typeof message.content === "string" ? message.content : message.content ? JSON.stringify(message.content, null, 1) : "";
  if (message.reasoning_content) parts.push(fold(`reasoning, ${count(message.reasoning_content)} words`, message.reasoning_content));
  if (message.role === "system") parts.push(fold(`system prompt, ${count(content)} words`, content));
  else if (message.role === "tool") parts.push(fold([h("code", {}, names.get(message.tool_call_id) ?? "tool"), ` gave ${brief(content)}`], pretty(content), true));
  else if (content) parts.push(h("div", { class: "said" }, said(content)));
  for (const call of message.tool_calls ?? []) {
    parts.push(fold(["calls ", h("code", {}, call.function.name), ` ${brief(call.function.arguments)}`], pretty(call.function.arguments), true));
  }
  const who = message.role !== "system" && message.role !== "tool" && h("div", { class: "who" }, message.role);
  const role = ["system", "user", "assistant", "tool"].includes(message.role) ? message.role : "assistant";
  return h("li", { class: `turn ${role}` }, who, parts);
}

export function fold(summary, text, code = false, open = false) {
  return h("details", { open }, h("summary", {}, summary), code ? h("pre", {}, text) : h("div", { class: "said" }, text));
}

export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function brief(text) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 90 ? `${line.slice(0, 89)}…` : line;
}

function count(text) {
  return text.split(/\s+/).filter(Boolean).length;
}

/** The words of two texts that are not in a longest common run of words of both, marked; for each text its parts. */
export function difference(one, other) {
  const a = one.split(/(\s+)/), b = other.split(/(\s+)/);
  if (a.length * b.length > 4_000_000) return [[one], [other]];
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] = a[i] === b[j] ? table[(i + 1) * width + j + 1] + 1 : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  const left = [], right = [];
  let i = 0, j = 0;
  const put = (parts, word, differs) => parts.push(differs && word.trim() ? h("span", { class: "differs" }, word) : word);
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      put(left, a[i++], false);
      put(right, b[j++], false);
    } else if (j >= b.length || (i < a.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) put(left, a[i++], true);
    else put(right, b[j++], true);
  }
  return [left, right];
}
