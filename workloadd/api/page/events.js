// The daemon's events (HTML, 9.2.6), read by `fetch`: an
// EventSource cannot send a token.

import { again, ask, lines } from "/page/asking.js";

// Tells `on[kind](document)` of each event, `on.open()` of each connection, and `on.closed(error)`.
export function follow(on, signal) {
  let last = "";
  const once = async (attempt, alive) => {
    const headers = last ? { "Last-Event-ID": last } : {};
    const answer = await ask("/v1/events", { accept: "text/event-stream", headers, signal: attempt });
    on.open();
    let kind = "", data = "", id = null;
    for await (const line of lines(answer, alive)) {
      if (line === "") {
        last = id ?? last;
        if (data) on[kind]?.(JSON.parse(data));
        [kind, data, id] = ["", "", null];
      }
      const [, field, value] = line.match(/^(\w+): ?(.*)$/) ?? [];
      if (field === "event") kind = value;
      if (field === "data") data += value;
      if (field === "id") id = value;
    }
  };
  return again(once, on.closed, signal);
}
