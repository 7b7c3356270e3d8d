// What a workload uses, drawn: one line or two for each resource.

import { drawing, element } from "/page/dom.js";

const WIDTH = 300, HEIGHT = 60, COLOURS = ["first", "second", "third"];

export function graphs(resources) {
  if (!resources || resources.series.at.length < 2) return [];
  const { now, series } = resources;
  const kinds = [
    ["Processor", processors, [["", series.cpu, now.cpu]]],
    ["Memory", bytes, [["", series.memory, now.memory]], now.memory_limit],
    ["Network", bySecond, [["in", series.received, now.received], ["out", series.sent, now.sent], ["local", series.loopback, now.loopback]]],
    ["Disk", bySecond, [["read", series.read, now.read], ["written", series.written, now.written]]],
  ];
  const known = kinds.filter(([, , lines]) => lines.some(([, values]) => values.some((value) => value !== null)));
  return known.length ? [element("div", { class: "graphs" }, ...known.map((kind) => graph(series.at, ...kind)))] : [];
}

function graph(times, title, told, lines, limit = null) {
  const most = Math.max(0, ...lines.flatMap(([, values]) => values.filter((value) => value !== null)));
  const values = lines.map(([name, , value]) => [name, value === null ? "not known" : told(value)]);
  const now = values.map((pair) => pair.join(" ").trim()).join(", ");
  const minutes = Math.max(1, Math.round((times.at(-1) - times[0]) / 60));
  const behind = `at most ${told(most)} in ${minutes} min${limit ? `, limit ${told(limit)}` : ""}`;
  return element("figure", {},
    drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}: ${now}; ${behind}` },
      ...lines.map(([, values], index) => line(times, values, most || 1, index))),
    element("figcaption", {}, element("strong", {}, title), ...values.flatMap(([name, value], index) =>
      [index ? ", " : " ", element("span", { class: COLOURS[index] }, name), ` ${value}`]), element("br"), behind));
}

// A gap where nothing is known.
function line(times, values, most, index) {
  const first = times[0], span = times.at(-1) - first || 1;
  const runs = [[]];
  values.forEach((value, at) => {
    const x = (((times[at] - first) / span) * WIDTH).toFixed(1);
    if (value === null) runs.push([]);
    else runs.at(-1).push([x, (HEIGHT - 2 - (value / most) * (HEIGHT - 6)).toFixed(1)]);
  });
  const drawn = runs.filter((run) => run.length > 1);
  const path = drawn.map((run) => `M${run.map((point) => point.join(",")).join("L")}`).join("");
  const area = drawn.map((run) => `M${run[0][0]},${HEIGHT}L${run.map((point) => point.join(",")).join("L")}L${run.at(-1)[0]},${HEIGHT}Z`).join("");
  return drawing("g", { class: COLOURS[index] },
    drawing("path", { class: "area", d: area }), drawing("path", { class: "line", d: path }));
}

function processors(value) {
  return value < 0.995 ? `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} % of a core` : `${value.toFixed(1)} cores`;
}

function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), units.length - 1);
  const scaled = value / 1024 ** power;
  return `${scaled.toFixed(power && scaled < 10 ? 1 : 0)} ${units[power]}`;
}

function bySecond(value) {
  return `${bytes(value)}/s`;
}
