// Keyboard shortcuts. A page declares them: data-shortcut="c" or "g d" on what is clicked or focused, and
// data-shortcut-list="j k" on a list that is walked through. `?` shows all of them.

const SECOND_KEY_WITHIN = 1_500;
const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
const TYPING = "input, select, textarea, [contenteditable]:not([contenteditable=false])";
const WITHOUT_TEXT = new Set(["button", "checkbox", "file", "image", "radio", "reset", "submit"]);

const dialog = document.getElementById("shortcuts-dialog");
let first = null;
let firstAt = 0;

const isOn = () => document.documentElement.dataset.shortcuts !== "off";
const isVisible = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? element.offsetParent !== null;

function isTyping(target) {
  if (!(target instanceof Element)) return false;
  const field = target.closest(TYPING);
  return field !== null && !(field.localName === "input" && WITHOUT_TEXT.has(field.type));
}

// On a keyboard for another script the key is the one that stands at its place on a Latin one.
function keyOf({ key, code }) {
  if (key === "؟" || key === "？") return "?";
  if (/^[\x21-\x7e]$/.test(key)) return key.toLowerCase();
  if (/^Key[A-Z]$/.test(code)) return code.slice(3).toLowerCase();
  return code === "Slash" ? "/" : "";
}

function allDeclared() {
  return [...document.querySelectorAll("[data-shortcut]")].filter((element) => !element.disabled && !element.hidden);
}

// What stands in the item that has the focus comes first, then what can be seen, then a menu's entry.
function declared(keys) {
  const found = allDeclared().filter((element) => element.dataset.shortcut === keys);
  const item = document.activeElement?.closest("li, article");
  const seen = found.filter(isVisible);
  return found.find((element) => item?.contains(element)) ?? seen.at(-1) ?? found.find((element) => element.closest("nav"));
}

function use(element) {
  if (element.matches(TYPING) && !WITHOUT_TEXT.has(element.type)) element.focus();
  else element.click();
}

function placesOf(list) {
  const items = [...list.children].filter(isVisible);
  return items.map((item) => (item.hasAttribute("tabindex") ? item : item.querySelector(FOCUSABLE))).filter(Boolean);
}

function walk(key) {
  for (const list of document.querySelectorAll("[data-shortcut-list]")) {
    const [next, before] = list.dataset.shortcutList.split(" ");
    if (key !== next && key !== before) continue;
    if (walkIn(listsWalkedBy(list.dataset.shortcutList), key === next ? 1 : -1)) return true;
  }
  return false;
}

function listsWalkedBy(keys) {
  return [...document.querySelectorAll("[data-shortcut-list]")].filter((list) => list.dataset.shortcutList === keys);
}

// Several lists of a page are walked as one. Where nothing has the focus yet, the first place is the first.
function walkIn(lists, step) {
  const places = lists.filter(isVisible).flatMap(placesOf);
  if (places.length === 0) return false;
  const focused = document.activeElement;
  const at = places.findIndex((place) => place === focused || place.closest("li")?.contains(focused));
  const to = at < 0 ? (step > 0 ? 0 : places.length - 1) : Math.min(Math.max(at + step, 0), places.length - 1);
  places[to].focus();
  places[to].scrollIntoView({ block: "nearest" });
  return true;
}

function take(key, at) {
  const before = first !== null && at - firstAt < SECOND_KEY_WITHIN ? first : null;
  first = null;
  const element = before === null ? declared(key) : declared(`${before} ${key}`);
  if (element) {
    use(element);
    return true;
  }
  if (before !== null) return false;
  if (allDeclared().some((each) => each.dataset.shortcut.startsWith(`${key} `))) [first, firstAt] = [key, at];
  return first !== null || walk(key);
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]") || !isOn()) return;
  const key = keyOf(event);
  if (key === "") return;
  if (key === "?" && dialog) {
    event.preventDefault();
    open();
  } else if (take(key, event.timeStamp)) event.preventDefault();
});

// The sheet lists what this page declares, each once, under the words of its button or link.
function nameOf(element) {
  const name = element.dataset.shortcutLabel ?? element.getAttribute("aria-label") ?? element.textContent;
  return name.replace(/\s+/g, " ").trim() || element.getAttribute("placeholder") || "";
}

function line(keys, name) {
  const row = document.getElementById("shortcut-line").content.firstElementChild.cloneNode(true);
  row.querySelector("dd").textContent = name;
  const [place] = row.querySelectorAll("dt");
  place.replaceChildren(
    ...keys.split(" ").map((key) => {
      const shown = document.createElement("kbd");
      shown.textContent = key;
      return shown;
    }),
  );
  return row;
}

function open() {
  const list = document.getElementById("shortcuts-here");
  const found = new Map();
  for (const element of allDeclared()) {
    const name = nameOf(element);
    if (name && !found.has(element.dataset.shortcut)) found.set(element.dataset.shortcut, name);
  }
  for (const walked of document.querySelectorAll("[data-shortcut-list]")) {
    if (walked.dataset.shortcutLabel) found.set(walked.dataset.shortcutList, walked.dataset.shortcutLabel);
    else found.set(walked.dataset.shortcutList, list.dataset.walk);
  }
  list.replaceChildren(...[...found].map(([keys, name]) => line(keys, name)));
  document.getElementById("shortcuts-off").hidden = isOn();
  dialog.showModal();
}

for (const button of document.querySelectorAll("[data-opens=shortcuts-dialog]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.closest("details")?.removeAttribute("open");
    open();
  });
}

// Menus: one at a time; Escape and a click elsewhere close them.
const menus = () => document.querySelectorAll(".masthead details[open]");
document.addEventListener("click", ({ target }) => {
  for (const menu of menus()) if (!menu.contains(target)) menu.open = false;
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
