// A theme may show its page too late for the browser to put the focus where the keys are waited for.
"use strict";
window.addEventListener("load", () => {
  if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
});
