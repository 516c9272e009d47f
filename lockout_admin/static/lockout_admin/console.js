// Helps at the console. Every page works without it.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  // Presets of a line of text: its list of suggestions, as buttons.
  for (const list of document.querySelectorAll("datalist[data-label]")) {
    const input = document.querySelector(`input[list="${list.id}"]`);
    const group = document.createElement("div");
    group.className = "lockout-presets";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", list.dataset.label);
    for (const option of list.options) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = option.value;
      button.addEventListener("click", () => {
        input.value = option.value;
        input.focus();
      });
      group.append(button);
    }
    list.after(group);
    // They push its help down.
    if (document.activeElement === input) input.scrollIntoView({ block: "nearest" });
  }

  // A range of a picture: drag from one bar to another. A click alone follows the bar's link.
  const drag = () => {
    for (const picture of document.querySelectorAll(".lockout-loudness svg:not([data-ready])")) {
      picture.dataset.ready = "";
      const bars = [...picture.querySelectorAll("a")];
      let first = null;
      let last = null;
      const at = (event) => bars.indexOf(document.elementFromPoint(event.clientX, event.clientY)?.closest("a"));
      const mark = () => {
        const [low, high] = [Math.min(first, last), Math.max(first, last)];
        bars.forEach((bar, place) => bar.classList.toggle("lockout-chosen", place >= low && place <= high));
      };
      picture.addEventListener("dragstart", (event) => event.preventDefault());
      picture.addEventListener("pointerdown", (event) => {
        first = last = event.button === 0 && at(event) >= 0 ? at(event) : null;
      });
      picture.addEventListener("pointermove", (event) => {
        if (first !== null && at(event) >= 0) {
          last = at(event);
          mark();
        }
      });
      const forget = () => {
        first = last = null;
        bars.forEach((bar) => bar.classList.remove("lockout-chosen"));
      };
      document.addEventListener("pointerup", () => {
        if (first !== null && last !== first) {
          const [low, high] = [Math.min(first, last), Math.max(first, last)];
          const target = new URL(bars[low].href.baseVal, location.href);
          target.searchParams.set("before", bars[high].dataset.end);
          location.assign(target);
        }
        forget();
      });
      document.addEventListener("pointercancel", forget);
    }
  };

  // What scrolls sideways fades out as long as there is more.
  const hint = (box) => {
    const rest = box.scrollWidth - box.clientWidth - Math.abs(box.scrollLeft);
    box.classList.toggle("lockout-goes-on", rest > 4);
    // Whoever has no mouse scrolls it with the arrow keys; a list need not have a link in it.
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  };
  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => hint(entry.target)));
  for (const box of document.querySelectorAll(".lockout-undone, #changelist .results")) {
    sizes.observe(box);
    box.addEventListener("scroll", () => hint(box), { passive: true });
  }

  // A button beside what people paste elsewhere.
  const words = document.getElementById("lockout-words")?.dataset;
  const copy = async (text) => {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return;
    }
    // Without TLS there is only this.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  const addCopyButtons = () => {
    for (const element of document.querySelectorAll("#result_list [data-copy]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "lockout-copy";
      button.title = words.copy.replace("@", element.dataset.copy);
      button.setAttribute("aria-label", button.title);
      button.addEventListener("click", async (event) => {
        event.preventDefault();
        await copy(element.dataset.copy);
        button.title = words.copied;
        button.classList.add("lockout-copied");
      });
      // No button inside a link.
      (element.closest("a") ?? element).after(button);
    }
  };

  // A list that renews itself, as long as somebody looks at it.
  const EVERY_MS = 10_000;
  const PARTS = [".lockout-loudness", ".lockout-strip", ".paginator", ".changelist-footer"];
  const renew = async () => {
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const list = document.querySelector("#result_list");
    const next = fresh.querySelector("#result_list");
    if (!answer.ok || answer.redirected || !next) {
      return false; // signed out, or nothing is left: the page as it was is better than none
    }
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    // The boxes themselves move into the new rows: their state, and who listens to them, stay.
    const boxes = new Map([...list.querySelectorAll(".action-select")].map((box) => [box.value, box]));
    for (const box of next.querySelectorAll(".action-select")) {
      const old = boxes.get(box.value);
      if (old) {
        box.closest("tr").classList.toggle("selected", old.checked);
        box.replaceWith(old);
      }
    }
    const bodies = [...list.tBodies];
    const nextBodies = [...next.tBodies];
    if (bodies.length === 1 && nextBodies.length === 1) {
      bodies[0].replaceChildren(...nextBodies[0].children);
    } else {
      bodies.forEach((body) => body.remove());
      list.append(...nextBodies);
    }
    for (const part of PARTS) {
      const [now, then] = [document.querySelector(part), fresh.querySelector(part)];
      if (now && then && !now.querySelector("details[open]")) {
        now.replaceWith(then);
      }
    }
    addCopyButtons();
    drag();
    if (focused && !list.contains(focused) && focused.href) {
      [...list.querySelectorAll("a")].find((link) => link.href === focused.href)?.focus();
    } else if (focused?.isConnected) {
      focused.focus();
    }
    return true;
  };
  const addLiveSwitch = () => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    label.className = "lockout-live";
    label.title = words.liveHelp;
    box.type = "checkbox";
    label.append(box, ` ${words.live}`);
    document.getElementById("lockout-words").after(label);
    const key = `lockout-live:${location.pathname}`;
    box.checked = sessionStorage.getItem(key) === "on";
    let isBusy = false;
    box.addEventListener("change", () => sessionStorage.setItem(key, box.checked ? "on" : "off"));
    setInterval(async () => {
      if (!box.checked || document.hidden || isBusy) {
        return;
      }
      isBusy = true;
      try {
        box.checked = await renew();
      } catch {
        // The site does not answer: it is asked again.
      }
      isBusy = false;
    }, EVERY_MS);
  };
  // On a narrow screen the list comes first, and the filters behind a button.
  const filters = document.querySelector("#changelist-filter");
  // A theme may have such a button.
  if (words && filters && !document.querySelector(".filter-open-button")) {
    const button = document.createElement("button");
    const chips = document.querySelectorAll(".lockout-chip").length;
    button.type = "button";
    button.className = "lockout-fold";
    button.textContent = words.filters + (chips ? ` (${chips})` : "");
    button.setAttribute("aria-controls", filters.id);
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      const isOpen = filters.classList.toggle("lockout-unfolded");
      button.setAttribute("aria-expanded", String(isOpen));
      if (isOpen) {
        filters.scrollIntoView();
        filters.querySelector("input:not([type=hidden]), select")?.focus();
      }
    });
    filters.classList.add("lockout-foldable");
    document.getElementById("lockout-words").after(button);
  }
  drag();
  if (words && document.querySelector("#result_list")) {
    addCopyButtons();
    addLiveSwitch();
  }
});
