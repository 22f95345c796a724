// Keeps the count at the bell and in the title true in every tab and on every device, says that something urgent
// has arrived, and tells the server which page is before the reader's eyes. One tab of a browser holds the line for
// all; pages of sealed correspondence have a line of their own and say here what they hear.

import { tone } from "./tone.js";

const LOOK_EVERY = 60_000;
const PING_EVERY = 25_000;
const RETRY_MOST = 60_000;
const SIGNED_OUT = [4401, 4403];
const SEALED_CLIENT = 'script[src*="/messaging/client"]';
const SOUNDED = "notifications-sounded";
const RENEWED = "push-renewed";
const CLOSED = "notifications-closed";

const part = document.getElementById("notifications");
const bell = document.getElementById("bell-count");
const line = document.getElementById("urgent-line");
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("notifications") : null;
const title = document.title;
const path = location.pathname;
let now = {
  unread: Number(part.dataset.unread),
  is_here: part.dataset.here === "1",
  alert: part.dataset.alert,
  sound: part.dataset.sound === "1",
};
let isLive = false;
let isAsking = false;
let askedAt = Date.now();

function show() {
  const count = new Intl.NumberFormat(document.documentElement.lang, { numberingSystem: "latn" }).format(now.unread);
  if (bell) {
    bell.querySelector("[data-count]").textContent = count;
    bell.hidden = now.unread === 0;
  }
  document.title = now.unread ? `(${count}) ${title}` : title;
  line.hidden = now.alert === "" || now.alert === kept(CLOSED) || path === "/notifications/";
  if (now.alert && now.sound && now.alert !== kept(SOUNDED)) soundOnce(now.alert);
  if (now.unread === 0) closeShown();
}

// A browser may refuse its store: then nothing is remembered, and nothing breaks.
function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {}
}

function soundOnce(alert) {
  const sound = async () => {
    if (alert === kept(SOUNDED)) return;
    keep(SOUNDED, alert);
    await tone().catch(() => {}); // the line on the page says it anyway
  };
  if (navigator.locks) navigator.locks.request("notification-tone", sound);
  else sound();
}

async function closeShown() {
  const registration = await navigator.serviceWorker?.getRegistration("/notifications/").catch(() => undefined);
  for (const shown of (await registration?.getNotifications()) ?? []) shown.close();
}

/** Once a sign-in: this browser goes on being woken, if it is and the same person is back; else no more. */
async function renew() {
  if (kept(RENEWED) === part.dataset.session) return;
  const registration = await navigator.serviceWorker?.getRegistration("/notifications/");
  const subscription = await registration?.pushManager?.getSubscription();
  if (!subscription) return;
  const answer = await fetch("/notifications/push/renew/", options({ endpoint: subscription.endpoint }));
  if (!answer.ok) return;
  keep(RENEWED, part.dataset.session);
  if (!(await answer.json()).is_woken) await subscription.unsubscribe();
}

function take(found, isOwn) {
  now = isOwn ? found : { ...found, is_here: now.is_here };
  if (isOwn) tabs?.postMessage(found);
  show();
}

async function ask(request = fetch(`/notifications/now/?at=${encodeURIComponent(path)}`, options())) {
  askedAt = Date.now();
  try {
    const answer = await request;
    if (answer.ok) take(await answer.json(), true);
  } catch {
    return; // the line is away: the next look finds the same
  }
  if (now.is_here) await seen();
}

function options(body) {
  const headers = { Accept: "application/json" };
  if (body === undefined) return { headers };
  headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  // What was seen is said also when the page is just being left.
  return { method: "POST", headers, body: JSON.stringify(body), keepalive: true };
}

/** The page that something waits about is being looked at: it waits no more, on any device. */
async function seen() {
  if (document.hidden || isAsking) return;
  isAsking = true;
  now.is_here = false;
  try {
    const answer = await fetch("/notifications/now/seen/", options({ path }));
    if (answer.ok) take(await answer.json(), true);
  } catch {
    now.is_here = true;
  } finally {
    isAsking = false;
  }
}

/** Hold the one light line of this browser: it hears of this person only, and carries nothing but that. */
function hold(attempt = 0) {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/socket/`);
  let [ping, number] = [0, 0];
  const send = (command, body) => socket.send(JSON.stringify({ id: String(++number), command, body }));
  socket.addEventListener("message", ({ data }) => {
    const { event, body } = JSON.parse(data);
    if (event === "network.session.opened") {
      const only = Object.keys(body.cursors).filter((name) => name.startsWith("person:"));
      send("network.session.resume", { cursors: body.cursors, only });
      ping = setInterval(() => send("network.session.ping", {}), PING_EVERY);
      isLive = true;
      if (attempt > 0) ask();
      attempt = 0;
    } else if (event === "network.notifications.changed") ask();
  });
  socket.addEventListener("close", ({ code }) => {
    clearInterval(ping);
    isLive = false;
    if (SIGNED_OUT.includes(code)) return;
    const delay = Math.min(RETRY_MOST, 1000 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random());
    setTimeout(() => hold(attempt + 1), delay);
  });
}

function listen() {
  if (document.querySelector(SEALED_CLIENT) || document.documentElement.dataset.socket || !navigator.locks) return;
  // Held until the page is left; then another tab gets it.
  navigator.locks.request("notifications-line", () => {
    hold();
    return new Promise(() => {});
  });
}

tabs?.addEventListener("message", ({ data }) => {
  askedAt = Date.now();
  take(data, false);
});
document.addEventListener("network:notifications", () => ask());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  if (now.is_here) seen();
  else if (Date.now() - askedAt > LOOK_EVERY / 6) ask();
});
document.getElementById("urgent-close").addEventListener("click", () => {
  keep(CLOSED, now.alert);
  line.hidden = true;
});
setInterval(() => {
  if (!document.hidden && !isLive && Date.now() - askedAt >= LOOK_EVERY) ask();
}, LOOK_EVERY / 4);
show();
if (now.is_here) seen();
listen();
renew().catch(() => {});
