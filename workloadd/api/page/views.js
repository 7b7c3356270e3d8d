// What is shown: all workloads at a glance, and one of them.

import { code, element, facts, moment, state, table, truth } from "/page/dom.js";

const SETTLED = new Set(["Ready", "Completed", "Scheduled", "Running", "Paused", "Stopped", "Disabled"]);

export function summary(workloads) {
  const troubled = workloads.filter((one) => !SETTLED.has(one.state));
  if (workloads.length === 0) return "no workloads are declared; waiting for files";
  if (troubled.length === 0) return `all ${workloads.length} workloads are as declared`;
  const names = troubled.slice(0, 3).map((one) => `${one.name} (${one.state})`).join(", ");
  const more = troubled.length > 3 ? ` and ${troubled.length - 3} more` : "";
  return `${workloads.length - troubled.length} of ${workloads.length} are as declared; not: ${names}${more}`;
}

export function overview(host, workloads) {
  const heads = ["Workload", "State", "What it says", "Image", "Ports", { text: "Restarts", number: true }];
  const rows = workloads.map((one) => [
    element("a", { href: `/${one.name}` }, one.name),
    state(one.state),
    one.message,
    code(one.current?.image ?? one.image?.reference ?? ""),
    one.ports.join(", "),
    String(one.restarts),
  ]);
  const empty = element("p", {}, "Drop a file into ", code("/etc/workloadd/workloads.d"), ", and it is shown here.");
  return [...hostTrouble(host), rows.length ? table("", heads, rows) : empty];
}

function hostTrouble(host) {
  const lacking = (host?.host ?? []).filter((one) => one.status !== "True");
  const notices = lacking.map((one) => element(
    "section", { class: one.warning ? "notice mild" : "notice" },
    element("p", {}, element("strong", {}, `host, ${one.type}: `), one.message),
    one.fix ? element("p", {}, "fix: ", code(one.fix)) : null,
  ));
  const problems = (host?.problems ?? []).map((text) => element("section", { class: "notice" }, element("p", {}, text)));
  return [...problems, ...notices];
}

export function detail(one, history) {
  return [
    element("h2", {}, one.name, " ", state(one.state)),
    element("p", {}, one.message || one.description),
    ...one.errors.map((error) => fault(error, "notice")),
    ...one.warnings.map((warning) => fault(warning, "notice mild")),
    facts([
      ["file", code(one.source)],
      ["ports", one.ports.join(", ")],
      ["unit", code(`${one.unit.name}: ${one.unit.active_state} (${one.unit.sub_state})`)],
      ["restarts", String(one.restarts)],
      ["by hand", one.by_hand.map((hand) => `${hand.kind} by ${hand.by}${hand.reason ? `: ${hand.reason}` : ""}`).join("; ")],
      ["logs", code(`workloadctl logs ${one.name} -f`)],
    ]),
    element("h3", {}, "Conditions"),
    table("", ["Condition", "Holds", "Since", "Why"], one.conditions.map((c) =>
      [c.type, truth(c.status), moment(c.since), c.message || c.reason])),
    ...section("Deployments", ["", "Revision", "Image", "Container", "Started"], deployments(one)),
    ...section("Containers", ["Container", "State", "Image", "Unit"], one.containers.map((c) =>
      [c.name, c.state, code(c.image), code(c.unit.active_state)])),
    ...section("Probes", ["Probe", "Comes to", "Last try", "Why"], one.probes.map((p) =>
      [`${p.container ? `${p.container}: ` : ""}${p.kind}, ${p.asks}`,
       truth({ true: "True", false: "False" }[p.verdict] ?? ""), moment(p.time), p.message])),
    ...section("Runs", ["Run", "Outcome", "Started", "Exit code"], (one.job?.runs ?? []).map((run) =>
      [`${run.trigger}, attempt ${run.attempt}`, run.outcome || "it is on", moment(run.started), String(run.exit_code ?? "")])),
    ...section("Rollouts", ["Revision", "Outcome", "When", "Cause, and what became of it"], (history?.rollouts ?? []).map((r) =>
      [code(r.revision.slice(0, 12)), r.outcome || "it goes on", moment(r.started),
       r.problem ? `${r.cause}: ${r.problem.message}` : r.cause])),
    ...section("What else happened", ["Kind", "What", "When"], (history?.events ?? []).map((e) =>
      [e.kind, e.message, moment(e.at)])),
  ];
}

function fault(one, kind) {
  return element(
    "section", { class: kind },
    element("p", {}, code(`${one.file}:${one.line}:${one.column}`), ` ${one.message}`),
    one.hint ? element("p", {}, `hint: ${one.hint}`) : null,
  );
}

function section(title, heads, rows) {
  return rows.length ? [element("h3", {}, title), table("", heads, rows)] : [];
}

function deployments(one) {
  const known = [["next", one.next], ["current", one.current], ["previous", one.previous],
    ...one.older.map((older) => ["older", older])];
  return known.filter(([, d]) => d).map(([which, d]) => [
    which, code(d.revision.slice(0, 12)), code(d.image),
    `${d.container_name}, ${d.state}${d.exit_code === null ? "" : `, exit code ${d.exit_code}`}`, moment(d.started),
  ]);
}
