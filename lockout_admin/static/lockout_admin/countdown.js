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
  // An unlock of very many stops now and then, so that no server ends it. All of it was confirmed.
  document.querySelector("form.lockout-goes-on")?.requestSubmit();
  if (clocks.length) {
    setInterval(show, 1000);
  }
});
