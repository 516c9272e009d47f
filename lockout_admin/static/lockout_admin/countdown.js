// Goes on with the clocks of locks that are running out. Without it a page shows the time it was made with.
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
      element.textContent = `${Math.floor(left / 3600)}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
      element.classList.toggle("lockout-over", left === 0);
    }
  };
  // An unlock of very many stops now and then so that no server ends it; it was confirmed for all of them.
  document.querySelector("form.lockout-goes-on")?.requestSubmit();
  if (clocks.length) {
    setInterval(show, 1000);
  }
});
