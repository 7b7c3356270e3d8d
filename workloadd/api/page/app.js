// Follows the daemon's events, and shows what the address asks for.

import { ask, Refused, remember } from "/page/asking.js";
import { detail } from "/page/detail.js";
import { become, element } from "/page/dom.js";
import { follow } from "/page/events.js";
import { Logs } from "/page/logs.js";
import { overview, summary } from "/page/overview.js";

// Milliseconds between two looks at what a workload uses, and until "5 min ago" is put right.
const USE = 10000, MINUTE = 15000;

const by = (id) => document.getElementById(id);
const view = by("view"), words = by("words");
const workloads = new Map(), histories = new Map(), resources = new Map();
const logs = new Logs();
let host = null;
let connected = false;
let asked = false;
let following = null;

const chosen = () => decodeURIComponent(location.pathname.slice(1));
const unlocked = () => by("login").hidden;

function render() {
  asked = false;
  const all = [...workloads.values()].sort((a, b) => a.name.localeCompare(b.name));
  const name = chosen(), one = workloads.get(name);
  by("summary").textContent = unlocked() ? told(all) : "locked";
  by("version").textContent = host ? `workloadd ${host.version} for ${host.user}` : "";
  by("filter").hidden = Boolean(name) || all.length < 8;
  document.title = name ? `${name} – workloadd` : "workloadd";
  if (!host) return;
  if (!name) become(view, overview(host, all, words.value));
  else if (one) become(view, detail(one, histories.get(name), resources.get(name)));
  else become(view, [element("p", {}, `There is no workload “${name}”.`)]);
  logs.show(one ? name : "", one ? one.containers.map((container) => container.name) : []);
}

function told(all) {
  if (connected) return summary(all);
  return host ? "the daemon does not answer; what is shown may be old" : "the daemon does not answer";
}

function later() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(render);
}

// Has `into` say what the daemon answers about the workload that is shown.
async function lookUp(what, into) {
  const name = chosen();
  if (!workloads.has(name) || document.hidden) return;
  try {
    into.set(name, await (await ask(`/v1/workloads/${encodeURIComponent(name)}/${what}`)).json());
  } catch {
    return;  // it is gone, or the daemon is: the events say so
  }
  later();
}

const lookUpHistory = () => lookUp("history", histories);
const lookUpResources = () => lookUp("resources", resources);

function begin() {
  following?.abort();
  following = new AbortController();
  follow({
    open: () => { connected = true; by("login").hidden = true; later(); },
    closed: (error) => { connected = false; if (error instanceof Refused && error.status === 401) lock(error); later(); },
    reset: () => workloads.clear(),
    host: (document) => { host = document; later(); },
    gone: (document) => { workloads.delete(document.name); later(); },
    workload: (one) => {
      const news = !workloads.has(one.name);
      workloads.set(one.name, one);
      if (one.name === chosen()) {
        lookUpHistory();
        if (news) lookUpResources();
      }
      later();
    },
  }, following.signal);
}

function lock(error) {
  const tried = !by("login").hidden;
  by("login").hidden = false;
  by("refused").textContent = tried ? error.message : "";
  by("token").focus();
}

function go() {
  scrollTo(0, 0);
  lookUpHistory();
  lookUpResources();
  later();
}

by("login").addEventListener("submit", (event) => {
  event.preventDefault();
  remember(by("token").value);
  by("token").value = "";
  begin();
  logs.resume();
});
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
words.addEventListener("input", later);
// A browser keeps few connections to one address: a page that nobody sees leaves them to others.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    following?.abort();
    logs.rest();
  } else {
    begin();
    logs.resume();
    go();
  }
});
setInterval(later, MINUTE);
setInterval(lookUpResources, USE);
begin();
