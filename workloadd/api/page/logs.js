// The last lines of one workload, and those that come.

import { again, ask, hasToken, lines, Refused } from "/page/asking.js";
import { element } from "/page/dom.js";

const KEPT = 2000, FIRST = 200;

export class Logs {
  #section = document.getElementById("logs");
  #said = document.getElementById("logs-said");
  #lines = document.getElementById("lines");
  #of = document.getElementById("logs-of");
  #container = document.getElementById("logs-container");
  #name = "";
  #following = null;

  constructor() {
    this.#container.addEventListener("change", () => this.#begin());
  }

  // Follow a workload, or nothing; `containers` are the names that there are to choose from.
  show(name, containers = []) {
    this.#choices(containers);
    if (name === this.#name) return;
    this.#name = name;
    this.#container.value = "";
    this.#begin();
  }

  // Leave off for now, as nobody looks.
  rest() {
    this.#following?.abort();
  }

  resume() {
    this.#begin();
  }

  #choices(names) {
    const wanted = names.length > 1 ? ["", ...names] : [];
    const there = [...this.#container.options].map((option) => option.value);
    if (there.join() === wanted.join()) return;
    const chosen = this.#container.value;
    this.#container.replaceChildren(...wanted.map((name) => element("option", { value: name }, name || "all containers")));
    this.#container.value = wanted.includes(chosen) ? chosen : "";
  }

  #begin() {
    this.rest();
    this.#section.hidden = !this.#name;
    this.#lines.replaceChildren();
    this.#say("", false);
    if (!this.#name) return;
    // What a program writes may well be a secret: without a token anybody on the machine may ask.
    if (!hasToken()) return this.#say(`here with a token alone; in a terminal: workloadctl logs ${this.#name} -f`, false);
    this.#following = new AbortController();
    const { signal } = this.#following;
    again((attempt, alive) => this.#follow(attempt, alive), (error) => this.#ended(error), signal);
  }

  async #follow(signal, alive) {
    const asked = new URLSearchParams({ follow: "true", tail: String(FIRST) });
    if (this.#container.value) asked.set("container", this.#container.value);
    const path = `/v1/workloads/${encodeURIComponent(this.#name)}/logs?${asked}`;
    const answer = await ask(path, { accept: "application/x-ndjson", signal });
    this.#lines.replaceChildren();
    this.#say("", true);
    for await (const line of lines(answer, alive)) {
      if (line) this.#append(JSON.parse(line));
    }
  }

  #append(line) {
    const pane = this.#lines;
    const atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 8;
    const container = line.container ? `[${line.container}] ` : "";
    const at = new Date(line.time).toLocaleTimeString();
    pane.append(element("div", { class: line.stream === "stderr" ? "stderr" : null },
      element("time", { datetime: line.time, class: "dim" }, at), ` ${container}${line.text}`));
    while (pane.childElementCount > KEPT) pane.firstChild.remove();
    if (atEnd) pane.scrollTop = pane.scrollHeight;
  }

  #ended(error) {
    const refused = error instanceof Refused && error.status < 500;
    const hint = refused && error.hint ? ` (${error.hint})` : "";
    this.#say(refused ? `${error.message}${hint}` : "the daemon does not answer; the lines go on when it does", !refused);
  }

  #say(text, open) {
    this.#said.textContent = text;
    this.#lines.hidden = !open;
    this.#of.hidden = !open || this.#container.options.length === 0;
  }
}
