// The server's answers. Addresses are relative: the token stays in the page's own.

async function ask(path, options) {
  const response = await fetch(path, options);
  const answer = response.headers.get("Content-Type")?.startsWith("application/json") ? await response.json() : null;
  if (!response.ok) throw new Error(answer?.message ?? `the server answers ${response.status}`);
  return answer;
}

export const overview = () => ask("api/overview");
export const facets = () => ask("api/facets");
export const pictures = (mapBy) => ask(`api/pictures?map_by=${encodeURIComponent(mapBy)}`);
export const examples = (params) => ask(`api/examples?${params}`);
export const example = (id) => ask(`api/examples/${encodeURIComponent(id)}`);
export const calls = (id) => ask(`api/examples/${encodeURIComponent(id)}/calls`);
export const neighbours = (id) => ask(`api/examples/${encodeURIComponent(id)}/neighbours`);

export const mark = (id, value) =>
  ask("api/marks", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ id, mark: value }) });

/** Call `changed` whenever the run has gone on, and `lost` while the server cannot be reached. */
export function follow(changed, lost) {
  const source = new EventSource("api/events");
  source.onmessage = changed;
  source.onerror = lost;
}
