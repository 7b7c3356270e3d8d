// Questions to the daemon, and answers that go on: with the token, where one was given.

const KEY = "workloadd-token";
// Milliseconds: until it is asked again, at first and at the most, and until silence means that
// nobody is there (the daemon says something every 15 s).
const RETRY = 500, RETRY_CEILING = 8000, SILENCE = 40000;

export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? `the daemon answers ${status}`);
    this.status = status;
    this.hint = problem?.hint ?? "";
  }
}

export function remember(token) {
  sessionStorage.setItem(KEY, token);
}

export function hasToken() {
  return Boolean(sessionStorage.getItem(KEY));
}

export async function ask(path, { accept = "application/json", headers = {}, signal } = {}) {
  const token = sessionStorage.getItem(KEY);
  const answer = await fetch(path, {
    headers: { Accept: accept, ...headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    cache: "no-store", signal,
  });
  if (answer.ok) return answer;
  throw new Refused(answer.status, await answer.json().catch(() => null));
}

// The lines of an answer, as they come.
export async function* lines(answer, alive = () => {}) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let rest = "";;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      const whole = (rest + value).split("\n");
      rest = whole.pop();
      yield* whole;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// Has `once(signal, alive)` done again whenever it ends or fails, until `signal` is aborted or it is
// refused. `trouble` is told of each end.
export async function again(once, trouble, signal) {
  for (let failures = 0; !signal.aborted; failures += 1) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener("abort", stop, { once: true });
    let watch;
    const alive = () => {
      failures = 0;
      clearTimeout(watch);
      watch = setTimeout(stop, SILENCE);
    };
    let reason = null;
    try {
      watch = setTimeout(stop, SILENCE);
      await once(attempt.signal, alive);
    } catch (error) {
      reason = error;
    }
    clearTimeout(watch);
    signal.removeEventListener("abort", stop);
    if (signal.aborted) return;
    trouble(reason);
    // Refused for good; 503 is only for now.
    if (reason instanceof Refused && reason.status < 500) return;
    await pause(Math.min(RETRY * 2 ** failures, RETRY_CEILING) * (0.5 + Math.random() / 2), signal);
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
