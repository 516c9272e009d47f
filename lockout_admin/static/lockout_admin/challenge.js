// Has ALTCHA's widget answer the challenge of a refused login; the answer goes into a cookie.
// Without this script the page says that the browser can't do it, and offers a mail.
"use strict";
const place = document.querySelector(".lockout-challenge");
const say = (what) => {
  place.textContent = place.dataset[what];
};
if (place && window.isSecureContext && window.$altcha) {
  let isOver = false;
  let waiting = null;
  const keep = (answer) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    const rest = `Path=/; Max-Age=600; SameSite=Lax${secure}`;
    // Base64 is what a cookie may hold.
    document.cookie = `${place.dataset.cookie}=${answer}; ${rest}`;
  };
  const go = () => {
    isOver = true;
    waiting?.form.requestSubmit(waiting.button);
  };
  // Whoever is faster than the browser waits for it.
  document.addEventListener(
    "submit",
    (event) => {
      if (!isOver && event.target.querySelector("input[type=password]")) {
        event.preventDefault();
        event.stopPropagation();
        waiting = { form: event.target, button: event.submitter };
      }
    },
    true,
  );
  window.$altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker(place.dataset.worker));
  const widget = document.createElement("altcha-widget");
  // The page says in its own words, and language, what goes on.
  widget.hidden = true;
  widget.setAttribute("auto", "onload");
  widget.setAttribute("challenge", place.dataset.challenge);
  widget.setAttribute(
    "configuration",
    JSON.stringify({ minDuration: 0, humanInteractionSignature: false }),
  );
  widget.addEventListener("verified", (event) => {
    keep(event.detail.payload);
    say("done");
    go();
  });
  widget.addEventListener("statechange", (event) => {
    if (event.detail.state === "error") {
      say("failed");
      go();
    }
  });
  say("working");
  // Not in the form: its box is required there, and nobody can tick what is hidden.
  document.body.append(widget);
}
