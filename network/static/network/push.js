// On the page of settings: the clock of this device, the tone, and whether this browser is woken.

import { tone } from "./tone.js";

const SCOPE = "/notifications/";
const part = document.getElementById("push");
const states = ["on", "off", "none", "denied", "problem"];

function show(...names) {
  for (const state of states) document.getElementById(`push-${state}`).hidden = !names.includes(state);
}

function offerZone() {
  const [select, offer] = [document.getElementById("time_zone"), document.getElementById("zone-here")];
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!here || here === select.value || ![...select.options].some(({ value }) => value === here)) return;
  offer.querySelector("[data-zone]").textContent = here;
  offer.hidden = false;
  offer.querySelector("button").addEventListener("click", () => {
    select.value = here;
    offer.hidden = true;
    select.focus();
  });
}

function offerTone() {
  const row = document.getElementById("try-sound");
  row.hidden = false;
  row.querySelector("button").addEventListener("click", () => tone());
}

// The browser takes the address of a worker only from a named policy; this one gives a single address.
function workerAddress() {
  const address = `/sw.js?language=${encodeURIComponent(document.documentElement.lang)}`;
  if (!globalThis.trustedTypes) return address;
  return trustedTypes.createPolicy("service-worker", { createScriptURL: () => address }).createScriptURL("");
}

async function post(path, endpoint) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify({ endpoint }) });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error?.message ?? "");
  return found.is_woken;
}

function keyBytes() {
  const text = atob(part.dataset.key.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

async function begin(registration) {
  // The question to the reader comes first: browsers take it only as the answer to a press.
  if ((await Notification.requestPermission()) !== "granted") return show("denied");
  const options = { userVisibleOnly: true, applicationServerKey: keyBytes() };
  const subscription = await registration.pushManager.subscribe(options);
  try {
    await post("/notifications/push/", subscription.endpoint);
  } catch (error) {
    await subscription.unsubscribe();
    throw error;
  }
  location.reload();
}

async function end(registration) {
  const subscription = await registration.pushManager.getSubscription();
  if (subscription) {
    await post("/notifications/push/remove/", subscription.endpoint);
    await subscription.unsubscribe();
  }
  location.reload();
}

function onPress(name, act) {
  document.querySelector(`#push-${name} button`).addEventListener("click", async () => {
    try {
      await act();
    } catch (error) {
      if (error.message) document.querySelector("#push-problem [data-words]").textContent = error.message;
      show(name, "problem");
    }
  });
}

async function offerPush() {
  if (!("serviceWorker" in navigator) || !("PushManager" in globalThis)) return show("none");
  const registration = await navigator.serviceWorker.register(workerAddress(), { scope: SCOPE });
  onPress("on", () => begin(registration));
  onPress("off", () => end(registration));
  if (Notification.permission === "denied") return show("denied");
  const subscription = await registration.pushManager.getSubscription();
  const isWoken = subscription !== null && (await post("/notifications/push/renew/", subscription.endpoint));
  if (subscription !== null && !isWoken) await subscription.unsubscribe();
  show(isWoken ? "off" : "on");
}

offerZone();
offerTone();
offerPush().catch(() => show("none"));
