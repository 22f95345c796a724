// Passkeys on plain pages. A form says by its attributes what is asked and where:
//   <form data-passkey="get|create|none" data-options="URL" data-finish="URL" [data-then="id of a form"]>
// Its fields go to both addresses. What comes back says where to go on; a refusal is shown in the form.

const SHOWN = "[data-passkey-problem]";

function toBytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function toText(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const described = (list) => (list ?? []).map((row) => ({ ...row, id: toBytes(row.id) }));

/** Send JSON and return the JSON that comes back; throws an Error with the server's `code` and sentence. */
export async function postJson(url, body) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const found = await answer.json().catch(() => null);
  if (answer.ok && found) return found;
  throw Object.assign(new Error(found?.error?.message ?? ""), { code: found?.error?.code ?? "unavailable" });
}

/** Make a passkey for the options of the server; returns what the server verifies. */
export async function createPasskey({ publicKey }) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: toBytes(publicKey.challenge),
      user: { ...publicKey.user, id: toBytes(publicKey.user.id) },
      excludeCredentials: described(publicKey.excludeCredentials),
    },
  });
  const { clientDataJSON, attestationObject } = made.response;
  const response = { clientDataJSON: toText(clientDataJSON), attestationObject: toText(attestationObject) };
  return { id: made.id, rawId: toText(made.rawId), type: made.type, response };
}

/** Let a passkey answer the challenge of the server; returns what the server verifies. */
export async function getPasskey({ publicKey }) {
  const given = await navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: toBytes(publicKey.challenge),
      allowCredentials: described(publicKey.allowCredentials),
    },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = given.response;
  const response = {
    clientDataJSON: toText(clientDataJSON),
    authenticatorData: toText(authenticatorData),
    signature: toText(signature),
    ...(userHandle ? { userHandle: toText(userHandle) } : {}),
  };
  return { id: given.id, rawId: toText(given.rawId), type: given.type, response };
}

const ASK = { create: createPasskey, get: getPasskey };

function fieldsOf(form) {
  const fields = Object.fromEntries(new FormData(form));
  delete fields.csrfmiddlewaretoken;
  return fields;
}

function sentenceFor(form, error) {
  const text = (name) => form.querySelector(`[data-passkey-text="${name}"]`)?.textContent ?? "";
  if (error.name === "InvalidStateError") return text("known");
  if (error instanceof DOMException) return text("cancelled");
  return error.message && error.code ? error.message : text("offline");
}

async function run(form) {
  const { passkey, options, finish } = form.dataset;
  const fields = fieldsOf(form);
  const ask = ASK[passkey];
  const credential = ask ? await ask(await postJson(options, { fields })) : null;
  return postJson(finish, { credential, fields });
}

function goOn(form, answer) {
  const { then } = form.dataset;
  const done = new CustomEvent("passkey-done", { bubbles: true, cancelable: true, detail: answer });
  if (!form.dispatchEvent(done)) return;
  const waiting = then ? document.getElementById(then) : null;
  if (waiting) waiting.submit();
  else location.assign(answer.next ?? "/");
}

async function onSubmit(event) {
  const form = event.target.closest?.("form[data-passkey]");
  if (!form) return;
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  const shown = form.querySelector(SHOWN);
  form.ariaBusy = "true";
  if (shown) shown.hidden = true;
  try {
    goOn(form, await run(form));
  } catch (error) {
    if (!shown) return;
    shown.textContent = sentenceFor(form, error);
    shown.hidden = false;
  } finally {
    form.ariaBusy = "false";
  }
}

document.addEventListener("submit", onSubmit);

// A form pressed before this runs would go to the server as it stands.
for (const button of document.querySelectorAll("[data-waits-for-script]")) button.disabled = false;

for (const note of document.querySelectorAll("[data-no-passkeys]")) {
  note.hidden = Boolean(window.PublicKeyCredential);
}

// The sealed pages ask for a proof in the middle of an act: "network:prove" with { resolve, reject }.
const dialog = document.getElementById("prove-dialog");
let waiting = null;

document.addEventListener("network:prove", (event) => {
  if (!dialog) return;
  waiting?.reject();
  waiting = event.detail;
  event.preventDefault();
  dialog.querySelector(SHOWN).hidden = true;
  if (!dialog.open) dialog.showModal();
});

dialog?.addEventListener("passkey-done", (event) => {
  event.preventDefault();
  waiting?.resolve();
  waiting = null;
  dialog.close();
});

dialog?.addEventListener("close", () => {
  waiting?.reject();
  waiting = null;
});
