// Elements and words. All text goes in as text, never as markup.

const GOOD = new Set(["Ready", "Completed", "Scheduled"]);
const BUSY = new Set(["Running", "RollingOut", "Pulling", "Waiting", "Removing"]);
const REST = new Set(["Paused", "Stopped", "Disabled", "Drained"]);
const SVG = "http://www.w3.org/2000/svg";

export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function drawing(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== "") made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

// Makes the children of `parent` like `wanted` and touches nothing that is so already: what is
// focused, marked, or folded open stays so. Children with a `data-key` are the same by that.
export function become(parent, wanted) {
  const focused = document.activeElement;
  adapt(parent, wanted);
  if (focused?.isConnected && focused !== document.activeElement) focused.focus();
}

function adapt(parent, wanted) {
  const keys = new Set(wanted.map(key).filter(Boolean));
  const known = new Map([...parent.childNodes].map((old) => [key(old), old]));
  for (const old of known.values()) {
    if (key(old) && !keys.has(key(old))) old.remove();
  }
  wanted.forEach((node, index) => {
    const at = parent.childNodes[index];
    const old = key(node) ? known.get(key(node)) : key(at) ? null : at;
    if (!old) return parent.insertBefore(node, at ?? null);
    if (old !== at) parent.insertBefore(old, at ?? null);
    if (!old.isEqualNode(node)) alter(old, node);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild.remove();
}

const key = (node) => node?.dataset?.key ?? "";

function alter(old, node) {
  if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== node.nodeName) return old.replaceWith(node);
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !node.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  adapt(old, [...node.childNodes]);
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
  if (seconds < 60) return "just now";
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

export function table(heads, rows) {
  const labels = heads.map((head) => head.text ?? head);
  return element(
    "table", {},
    element("thead", {}, element("tr", {}, ...heads.map((head, index) =>
      element("th", { scope: "col", class: head.as }, labels[index])))),
    element("tbody", {}, ...rows.map((cells) => element("tr", { "data-key": cells.key }, ...cells.map((cell, index) =>
      index === 0
        ? element("th", { scope: "row" }, cell)
        : element("td", { "data-label": labels[index], class: heads[index].as }, cell ?? "")
    )))),
  );
}

// A column of sentences and paths, which may be broken anywhere.
export function long(text) {
  return { text, as: "long" };
}

export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, ...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

export function section(title, heads, rows) {
  return rows.length ? [element("h3", {}, title), table(heads, rows)] : [];
}

export function code(text) {
  return text ? element("code", {}, text) : "";
}
