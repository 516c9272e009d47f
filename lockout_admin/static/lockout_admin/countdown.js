// Counts down the time that locks have left. Without it a page shows the time of its making.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const two = (number) => String(number).padStart(2, "0");
  const clocks = [...document.querySelectorAll(".lockout-remaining")].map((element) => ({
    element,
    seconds: Number(element.dataset.seconds),
  }));
  // Time since the page came, by a clock that nobody sets.
  const start = performance.now();
  const show = () => {
    const passed = Math.floor((performance.now() - start) / 1000);
    for (const { element, seconds } of clocks) {
      const left = Math.max(0, seconds - passed);
      const days = Math.floor(left / 86400);
      const hours = Math.floor(left / 3600) % 24;
      const minutes = Math.floor(left / 60) % 60;
      const time = `${hours}:${two(minutes)}:${two(left % 60)}`;
      // The words are the server's: "# d @".
      const words = element.dataset.days.replace("#", days).replace("@", time);
      element.textContent = days ? words : time;
      element.classList.toggle("lockout-over", left === 0);
    }
  };
  // Lengths of time in words: what is left goes down, what has passed goes up.
  const FORMS = [86400, 3600, 60, 0];
  const inWords = (seconds, forms) => {
    const form = forms[FORMS.findIndex((least) => seconds >= least)];
    return form
      .replace("#d", Math.floor(seconds / 86400))
      .replace("#h", Math.floor(seconds / 3600) % 24)
      .replace("#m", Math.floor(seconds / 60) % 60)
      .replace("#s", seconds % 60);
  };
  const tell = () => {
    // Each time anew: a list may have renewed itself.
    for (const span of document.querySelectorAll(".lockout-span")) {
      const { seconds, way, words, forms } = span.dataset;
      span.dataset.since ??= performance.now();
      const passed = Math.floor((performance.now() - Number(span.dataset.since)) / 1000);
      const now = Math.max(0, Number(seconds) + (way === "down" ? -passed : passed));
      span.firstElementChild.textContent = words.replace("@", inWords(now, forms.split("|")));
      span.firstElementChild.classList.toggle("lockout-over", way === "down" && now === 0);
    }
  };
  tell();
  setInterval(tell, 1000);
  // An unlock of very many stops now and then, so that no server ends it. All of it was confirmed.
  document.querySelector("form.lockout-sends-itself")?.requestSubmit();
  if (clocks.length) {
    setInterval(show, 1000);
  }
});
