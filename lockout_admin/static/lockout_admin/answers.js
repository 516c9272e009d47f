// A theme may show its page too late for the browser to put the focus where the keys are waited for.
"use strict";
window.addEventListener("load", () => {
  if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
});
// What takes its time says so, and is asked for once.
window.addEventListener("submit", ({ submitter }) => {
  if (!submitter?.dataset.busy) return;
  submitter.dataset.text = submitter.textContent;
  submitter.textContent = submitter.dataset.busy;
  // Once the form is on its way.
  setTimeout(() => (submitter.disabled = true));
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[data-text]")) {
    button.textContent = button.dataset.text;
    button.disabled = false;
  }
});
