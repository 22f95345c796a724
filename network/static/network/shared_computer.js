// On a computer that several people use, a browser keeps nothing once nobody is signed in: the databases that a page
// has named in `forget-at-sign-out` are deleted. Loaded on every page; the one after a sign-out is the sign-in page.

const LIST = "forget-at-sign-out";

function named() {
  try {
    const found = JSON.parse(localStorage.getItem(LIST) ?? "[]");
    return Array.isArray(found) ? found.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

function deleted(name) {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = resolve;
    request.onerror = resolve;
  });
}

async function forget() {
  const names = named();
  if (names.length === 0) return;
  await Promise.all(names.map(deleted));
  localStorage.removeItem(LIST);
  document.documentElement.dataset.forgotten = "yes";
}

// A page without the dialog of the session may still be one of somebody who is signed in: only the server knows.
async function look() {
  if (document.getElementById("session-dialog") !== null || named().length === 0) return;
  const answer = await fetch("/session/ends/", { headers: { Accept: "application/json" } });
  if (answer.status === 401) await forget();
}

look().catch(() => {});
document.addEventListener("network:signed-out", forget);
