// Elements and words. All text goes in as text, never as markup.

const GOOD = new Set(["Ready", "Completed", "Scheduled"]);
const BUSY = new Set(["Running", "RollingOut", "Pulling", "Waiting", "Removing"]);
const REST = new Set(["Paused", "Stopped", "Disabled", "Drained"]);

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== "") made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

export function state(word) {
  const kind = GOOD.has(word) ? "good" : BUSY.has(word) ? "busy" : REST.has(word) ? "rest" : "bad";
  return element("span", { class: `state ${kind}` }, word);
}

export function truth(status) {
  const kind = { True: "good", False: "bad" }[status] ?? "busy";
  return element("span", { class: kind }, { True: "yes", False: "no" }[status] ?? "not known");
}

export function moment(text) {
  if (!text) return "";
  const at = new Date(text);
  return element("time", { datetime: text, title: at.toLocaleString() }, since(at));
}

function since(at) {
  const seconds = Math.max(0, Math.round((Date.now() - at.getTime()) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

export function table(caption, heads, rows) {
  const labels = heads.map((head) => head.text ?? head);
  return element(
    "table", {},
    element("caption", { class: "dim", hidden: caption ? null : "hidden" }, caption),
    element("thead", {}, element("tr", {}, ...heads.map((head, index) =>
      element("th", { scope: "col", class: head.number ? "number" : null }, labels[index])))),
    element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((cell, index) =>
      index === 0
        ? element("th", { scope: "row" }, cell)
        : element("td", { "data-label": labels[index], class: heads[index].number ? "number" : null }, cell ?? "")
    )))),
  );
}

export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, ...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

export function code(text) {
  return text ? element("code", {}, text) : "";
}
