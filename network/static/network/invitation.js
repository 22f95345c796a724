// The token of an invitation stands behind # in the link, where no server and no log sees it. This script
// takes it from there into the form; the page of the recovery codes needs it for its print button only.

const TOKEN = /^[A-Za-z0-9_-]{64}$/;

function takeToken() {
  const form = document.getElementById("invitation-form");
  const token = location.hash.slice(1);
  // Another link put into the address line of a page that says what came of the first one loads nothing by
  // itself: the address differs behind # only.
  if (!form && TOKEN.test(token) && location.pathname === "/invitation/") {
    location.replace(`/invitation/?${Date.now()}#${token}`);
  }
  if (!form || !token) return;
  const isWhole = TOKEN.test(token);
  form.elements.token.value = isWhole ? token : "";
  form.hidden = !isWhole;
  document.getElementById("invitation-incomplete").hidden = isWhole;
}

takeToken();
window.addEventListener("hashchange", takeToken);

const print = document.getElementById("print");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}
