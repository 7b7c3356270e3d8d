// One workload.

import { code, element, facts, long, moment, section, state, truth } from "/page/dom.js";
import { graphs } from "/page/graphs.js";

export function detail(one, history, resources) {
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
      ["rolling out", one.rollout ? `${one.rollout.step} (${one.rollout.cause})` : ""],
    ]),
    ...graphs(resources),
    ...section("Conditions", ["Condition", "Holds", "Since", long("Why")], one.conditions.map((c) =>
      [c.type, truth(c.status), moment(c.since), c.message || c.reason])),
    ...section("Deployments", ["Deployment", "Revision", long("Image"), long("Container"), "Started"], deployments(one)),
    ...section("Containers", ["Container", "State", long("Image"), "Unit"], one.containers.map((c) =>
      [c.name, c.state, code(c.image), code(c.unit.active_state)])),
    ...section("Probes", ["Probe", "Comes to", "Last try", long("Why")], one.probes.map((p) =>
      [`${p.container ? `${p.container}: ` : ""}${p.kind}, ${p.asks}`,
       truth({ true: "True", false: "False" }[p.verdict] ?? ""), moment(p.time), p.message])),
    ...section("Runs", ["Run", "Outcome", "Started", "Exit code"], (one.job?.runs ?? []).map((run) =>
      [`${run.trigger}, attempt ${run.attempt}`, run.outcome || "it is on", moment(run.started), String(run.exit_code ?? "")])),
    ...section("Rollouts", ["Revision", "Outcome", "When", long("Cause, and what became of it")], (history?.rollouts ?? []).map((r) =>
      [code(r.revision.slice(0, 12)), r.outcome || "it goes on", moment(r.started), became(r)])),
    ...section("What else happened", ["Kind", long("What"), "When"], (history?.events ?? []).map((e) =>
      [e.kind, e.message, moment(e.at)])),
  ];
}

function became(rollout) {
  const text = rollout.problem ? `${rollout.cause}: ${rollout.problem.message}` : rollout.cause;
  if (!rollout.log.length) return text;
  return element("div", {}, text, element("details", {},
    element("summary", {}, "the last it wrote"), element("pre", {}, rollout.log.join("\n"))));
}

function fault(one, kind) {
  return element(
    "section", { class: kind },
    element("p", {}, code(`${one.file}:${one.line}:${one.column}`), ` ${one.message}`),
    one.text ? element("pre", {}, one.text) : null,
    one.hint ? element("p", {}, `hint: ${one.hint}`) : null,
  );
}

// What its containers are is told below it.
const isPod = (deployment) => deployment.image.includes("/podman-pause:");

function deployments(one) {
  const known = [["next", one.next], ["current", one.current], ["previous", one.previous],
    ...one.older.map((older) => ["older", older])];
  return known.filter(([, d]) => d).map(([which, d]) => [
    which, code(d.revision.slice(0, 12)), code(isPod(d) ? "" : d.image),
    `${d.container_name}, ${d.state}${d.exit_code === null ? "" : `, exit code ${d.exit_code}`}`, moment(d.started),
  ]);
}
