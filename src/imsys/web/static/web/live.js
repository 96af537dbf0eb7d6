// Pages ask for their live part again every few seconds. This says so when that stops, and spares hidden tabs.
"use strict";
(() => {
  const stale = document.getElementById("stale");
  let lastGood = new Date();

  const clockTime = (moment) => moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

  const lost = () => {
    stale.textContent = `Numbers stopped at ${clockTime(lastGood)}. Reconnecting.`;
    stale.hidden = false;
  };
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.body.addEventListener(name, lost);
  }
  document.body.addEventListener("htmx:afterSwap", () => {
    lastGood = new Date();
    stale.hidden = true;
  });

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    const live = document.getElementById("live");
    if (!document.hidden && live) htmx.trigger(live, "refresh");
  });
})();
