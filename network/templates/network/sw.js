{% autoescape off %}// Wakes with an empty message and shows one sentence: nothing else is known here, nothing is kept.
const PAGE = "/notifications/";
const TITLE = "{{ title|escapejs }}";
const SHOWN = {
  body: "{{ sentence|escapejs }}",
  lang: "{{ language|escapejs }}",
  dir: "auto",
  tag: "news",
  renotify: true,
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("push", (event) => {
  event.waitUntil(self.registration.showNotification(TITLE, SHOWN));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open());
});

async function open() {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const found = windows.find((one) => new URL(one.url).pathname === PAGE);
  return found ? found.focus() : self.clients.openWindow(PAGE);
}
{% endautoescape %}
