// Says before a sign-in ends that it will, keeps it while somebody uses keyboard or pointer, and says when it
// is over.

const STAY_EVERY = 60_000;
const WARN_QUIET = 120_000;
const WARN_UNTIL = 600_000;
const TICK = 1_000;

const dialog = document.getElementById("session-dialog");
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("session") : null;
const ends = endsFrom({ quiet: Number(dialog.dataset.quiet), until: Number(dialog.dataset.until) });
let shown = null;
let isUntilKnown = false;
let usedAt = 0;
let saidAt = Date.now();
let isOver = false;
let isAsking = false;

function endsFrom({ quiet, until }) {
  return { quiet: Date.now() + quiet * 1000, until: Date.now() + until * 1000 };
}

function take(found) {
  Object.assign(ends, found);
  if (shown === "quiet") hide();
}

function hide() {
  shown = null;
  if (dialog.open) dialog.close();
}

function show(name, at) {
  if (shown === name) return;
  shown = name;
  for (const part of dialog.querySelectorAll("[data-session]")) part.hidden = part.dataset.session !== name;
  const part = dialog.querySelector(`[data-session="${name}"]`);
  const time = part.querySelector("[data-session-time]");
  const format = new Intl.DateTimeFormat(`${document.documentElement.lang}-u-nu-latn`, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
  });
  if (time && at) time.textContent = format.format(at);
  const [title, text] = [part.querySelector("h2"), part.querySelector("p")];
  title.id ||= `session-title-${name}`;
  text.id ||= `session-text-${name}`;
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.setAttribute("aria-describedby", text.id);
  if (!dialog.open) dialog.showModal();
  part.querySelector("button, a")?.focus();
}

async function stay() {
  saidAt = Date.now();
  usedAt = 0;
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  const answer = await fetch("/session/stay/", { method: "POST", headers });
  if (answer.status === 401) return over();
  if (!answer.ok) throw new Error(String(answer.status));
  const found = endsFrom(await answer.json());
  take(found);
  tabs?.postMessage(found);
}

function over() {
  isOver = true;
  document.dispatchEvent(new CustomEvent("network:signed-out"));
  const here = location.pathname + location.search;
  document.getElementById("session-again").href = `/sign-in/?next=${encodeURIComponent(here)}`;
  show("ended");
}

// Another tab may have kept it: only the server knows. This question moves nothing.
async function ask() {
  isAsking = true;
  try {
    const answer = await fetch("/session/ends/", { headers: { Accept: "application/json" } });
    if (answer.ok) take(endsFrom(await answer.json()));
    else if (answer.status === 401) over();
  } catch {
    over();
  }
  setTimeout(() => {
    isAsking = false;
  }, 5 * TICK);
}

function look() {
  if (isOver || isAsking) return;
  const now = Date.now();
  if (now >= Math.min(ends.quiet, ends.until)) ask();
  else if (usedAt && now - saidAt >= STAY_EVERY) stay().catch(() => {});
  else if (now >= ends.quiet - WARN_QUIET && !usedAt) show("quiet", ends.quiet);
  else if (now >= ends.until - WARN_UNTIL && !isUntilKnown) show("until", ends.until);
}

function onUse(event) {
  if (event.isTrusted && shown === null) usedAt = Date.now();
}

for (const name of ["keydown", "pointerdown", "pointermove", "wheel"]) {
  addEventListener(name, onUse, { passive: true, capture: true });
}
document.getElementById("session-stay").addEventListener("click", async () => {
  const problem = document.getElementById("session-problem");
  problem.hidden = true;
  try {
    await stay();
  } catch {
    problem.hidden = false;
  }
});
document.getElementById("session-understood").addEventListener("click", () => {
  isUntilKnown = true;
  hide();
});
// Escape means the same as the one button; from the end there is nothing to go back to.
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  if (shown === "quiet") document.getElementById("session-stay").click();
  if (shown === "until") document.getElementById("session-understood").click();
});
tabs?.addEventListener("message", ({ data }) => take(data));
tabs?.postMessage(ends);
setInterval(look, TICK);
document.addEventListener("visibilitychange", look);
look();
