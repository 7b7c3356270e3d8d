// All workloads at a glance, and the host that they run on.

import { code, element, long, section, state, table, truth } from "/page/dom.js";

const SETTLED = new Set(["Ready", "Completed", "Scheduled", "Running", "Paused", "Stopped", "Disabled"]);

export function summary(workloads) {
  const troubled = workloads.filter((one) => !SETTLED.has(one.state));
  if (workloads.length === 0) return "no workloads are declared; waiting for files";
  if (troubled.length === 0) return workloads.length === 1 ? `${workloads[0].name} is as declared` : `all ${workloads.length} workloads are as declared`;
  const names = troubled.slice(0, 3).map((one) => `${one.name} (${one.state})`).join(", ");
  const more = troubled.length > 3 ? ` and ${troubled.length - 3} more` : "";
  return `${workloads.length - troubled.length} of ${workloads.length} are as declared; not: ${names}${more}`;
}

// Those that are not as declared come first; `words` are those that each row must have.
export function overview(host, workloads, words) {
  const heads = ["Workload", "State", long("What it says"), long("Image"), "Ports", { text: "Restarts", as: "number" }];
  const wanted = words.toLowerCase().split(/\s+/);
  const found = workloads.filter((one) => wanted.every((word) => told(one).includes(word)));
  found.sort((a, b) => SETTLED.has(a.state) - SETTLED.has(b.state));
  const rows = found.map((one) => Object.assign([
    element("a", { href: `/${one.name}` }, one.name),
    state(one.state),
    one.message,
    code(image(one)),
    one.ports.join(", "),
    String(one.restarts),
  ], { key: one.name }));
  const nothing = workloads.length
    ? element("p", {}, "None of the workloads has these words.")
    : element("p", {}, "Drop a file into ", code("/etc/workloadd/workloads.d"), ", and it is shown here.");
  return [...trouble(host), rows.length ? table(heads, rows) : nothing, ...shared(host), checks(host)];
}

const more = (one) => one.containers.length > 1 ? ` (+${one.containers.length - 1})` : "";
const image = (one) => one.image ? `${one.image.reference}${more(one)}` : "";
const told = (one) => [one.name, one.state, one.message, image(one), ...one.ports].join(" ").toLowerCase();
const lacks = (check) => check.status !== "True";

function trouble(host) {
  const problems = host.problems.map((text) => element("section", { class: "notice" }, element("p", {}, text)));
  const notices = host.host.filter(lacks).map((one) => element(
    "section", { class: one.warning ? "notice mild" : "notice" },
    element("p", {}, element("strong", {}, `host, ${one.type}: `), one.message || one.reason),
    one.fix ? element("p", {}, "fix: ", code(one.fix)) : null,
  ));
  return [...problems, ...notices];
}

function shared(host) {
  const rows = (kinds) => kinds.map((one) => [one.name, state(one.state), one.message, one.used_by.join(", "), code(one.source)]);
  const heads = ["Name", "State", long("What it says"), "Used by", long("File")];
  return [
    ...section("Networks", heads, rows(host.networks)),
    ...section("Volumes", heads, rows(host.volumes)),
    ...section("Not for this host", ["Workload", long("File"), long("Why")], host.elsewhere.map((one) => [one.name, code(one.source), one.reason])),
  ];
}

function checks(host) {
  const lacking = host.host.filter(lacks).length;
  const said = lacking ? `${lacking} of ${host.host.length} checks do not hold` : `all ${host.host.length} checks hold`;
  return element(
    "details", { class: "host" },
    element("summary", {}, `The host: ${said}`),
    host.reboot?.message ? element("p", {}, `reboot: ${host.reboot.message}`) : null,
    table(["Check", "Holds", long("Why"), long("Fix")], host.host.map((one) =>
      [one.type, truth(one.status), one.message || one.reason, code(one.fix)])),
  );
}
