// Follows the daemon's events, and shows what the address asks for.

import { element } from "/page/dom.js";
import { detail, overview, summary } from "/page/views.js";

const view = document.getElementById("view");
const line = document.getElementById("summary");
const workloads = new Map();
const histories = new Map();
let host = null;
let connected = false;
let asked = false;

const chosen = () => decodeURIComponent(location.pathname.slice(1));

function render() {
  asked = false;
  const all = [...workloads.values()].sort((a, b) => a.name.localeCompare(b.name));
  line.textContent = connected ? summary(all) : "the daemon does not answer; what is shown may be old";
  document.getElementById("version").textContent = host ? `workloadd ${host.version} for ${host.user}` : "";
  const name = chosen();
  document.title = name ? `${name} – workloadd` : "workloadd";
  if (!host) return;
  if (!name) return show(overview(host, all));
  const one = workloads.get(name);
  show(one ? detail(one, histories.get(name)) : [element("p", {}, `There is no workload "${name}".`)]);
}

// A focused link keeps the focus over a redraw.
function show(nodes) {
  const focused = document.activeElement?.getAttribute?.("href");
  view.replaceChildren(...nodes);
  if (focused) view.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

function later() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(render);
}

async function lookUpHistory() {
  const name = chosen();
  if (!name || !workloads.has(name)) return;
  const answer = await fetch(`/v1/workloads/${encodeURIComponent(name)}/history`).catch(() => null);
  if (answer?.ok) histories.set(name, await answer.json());
  later();
}

function follow() {
  const events = new EventSource("/v1/events");
  const on = (kind, act) => events.addEventListener(kind, (event) => {
    act(JSON.parse(event.data));
    later();
  });
  events.onopen = () => { connected = true; later(); };
  events.onerror = () => { connected = false; later(); };
  on("reset", () => workloads.clear());
  on("host", (document) => { host = document; });
  on("gone", (document) => workloads.delete(document.name));
  on("workload", (document) => {
    workloads.set(document.name, document);
    if (document.name === chosen()) lookUpHistory();
  });
}

addEventListener("click", (event) => {
  const link = event.target.closest?.("a");
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !plain || !(link.pathname === "/" || workloads.has(decodeURIComponent(link.pathname.slice(1))))) return;
  event.preventDefault();
  history.pushState(null, "", link.pathname);
  go();
  view.focus();
});
addEventListener("popstate", go);
setInterval(later, 15000);

function go() {
  scrollTo(0, 0);
  lookUpHistory();
  later();
}

follow();
