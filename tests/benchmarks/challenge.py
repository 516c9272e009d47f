"""What the proof of work costs: an attacker's core, a person's browser, the site.

    python -m tests.benchmarks.challenge [--browser [--slower 4]]

*Before*: how many logins a core can send, by the time that its client computes for one. *After*:
how many it can send with an answer each, found by the fastest code at hand (OpenSSL). The browser
is Chromium with ALTCHA's widget, as the pages have it; `--slower` stops it most of the time, as a
slower processor would: four times for a phone of the middle class, six times for a cheap one (what
DevTools slow down is the page alone, and not its workers).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any

import altcha
import django
from django.test import override_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from lockout_admin.defences.work import ProofOfWork  # noqa: E402
from tests.services.servers import free_port, wait_for_port  # noqa: E402

STATIC = Path(__file__).parent.parent.parent / "lockout_admin" / "static" / "lockout_admin"
DIFFICULTIES = (500, 2000, 8000)
SILENT: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
FORM = "username=alice&password=Winter2026&csrfmiddlewaretoken=" + "x" * 64
SOLVE = """([asked, workers]) => new Promise((resolve) => {
  $altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker("altcha/pbkdf2.js"));
  const widget = document.createElement("altcha-widget");
  widget.hidden = true;
  widget.setAttribute("auto", "onload");
  widget.setAttribute("workers", workers);
  widget.setAttribute("challenge", asked);
  widget.setAttribute("configuration", '{"minDuration": 0, "humanInteractionSignature": false}');
  const start = performance.now();
  widget.addEventListener("verified", () => resolve(performance.now() - start));
  document.body.append(widget);
})"""


#: Seconds that a browser runs between two stops.
_RUNS_SECS = 0.005


def seconds_of(work: Callable[[], Any], times: int) -> float:
    """Return the mean of the processor's time that one piece of work takes."""
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def sending(times: int) -> float:
    """Return the processor's time of one login at the side of its client."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, cwd=STATIC, **SILENT)
    try:
        wait_for_port(port, server)
        connection = HTTPConnection("127.0.0.1", port)

        def send() -> None:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", "/login/", FORM, headers)
            connection.getresponse().read()
            connection.close()

        return seconds_of(send, times)
    finally:
        server.terminate()
        server.wait(timeout=10)


def answer() -> str:
    """Ask and answer."""
    made = altcha.Challenge.from_dict(ProofOfWork().ask())
    found = altcha.solve_challenge(made)
    assert found
    return altcha.Payload(made, found).to_base64()


def renderers() -> list[int]:
    """Return the processes of Chromium that run pages and their workers."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if b"--type=renderer" in line.read_bytes():
                found.append(int(line.parent.name))
    return found


@contextmanager
def slowed_down(times: float) -> Iterator[None]:
    """Let Chromium's pages run for one of so many parts of the time."""
    if times <= 1:
        yield
        return
    ended = Event()

    def work() -> None:
        pages = renderers()
        while not ended.is_set():
            send(pages, signal.SIGSTOP)
            time.sleep(_RUNS_SECS * (times - 1))
            send(pages, signal.SIGCONT)
            time.sleep(_RUNS_SECS)

    def send(pages: list[int], what: signal.Signals) -> None:
        for pid in pages:
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def in_browser(difficulty: int, times: int, slower: float) -> dict[int, list[float]]:
    """Return the milliseconds that Chromium takes, by the number of its workers."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, cwd=STATIC, **SILENT)
    taken: dict[int, list[float]] = {1: [], 4: []}
    try:
        wait_for_port(port, server)
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}/")
            page.add_script_tag(url=f"http://127.0.0.1:{port}/altcha/altcha.min.js", type="module")
            page.wait_for_function("window.$altcha")
            settings = override_settings(LOCKOUT_ADMIN={"CHALLENGE_DIFFICULTY": difficulty})
            with settings, slowed_down(slower):
                for _ in range(times):
                    for workers, found in taken.items():
                        asked = json.dumps(ProofOfWork().ask())
                        found.append(page.evaluate(SOLVE, [asked, str(workers)]))
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=10)
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--browser", action="store_true", help="measure Chromium as well")
    parser.add_argument("--slower", type=float, default=1, help="slow the browser down")
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    before = sending(options.times * 20)
    print(f"before: {1 / before:,.0f} logins a second a core ({before * 1000:.2f} ms to send one)")
    for difficulty in DIFFICULTIES:
        with override_settings(LOCKOUT_ADMIN={"CHALLENGE_DIFFICULTY": difficulty}):
            one = seconds_of(answer, options.times)
            check = partial(ProofOfWork().solved, answer())
            asking = seconds_of(ProofOfWork().ask, 100) * 1000
            checking = seconds_of(check, 100) * 1000
        print(
            f"difficulty {difficulty}: {1 / (one + before):.2f} a second a core ({one:.2f} s an"
            f" answer); the site: {asking:.2f} ms to ask, {checking:.2f} ms to check"
        )
        if options.browser:
            for workers, taken in in_browser(difficulty, options.times, options.slower).items():
                print(
                    f"  Chromium, {workers} workers: median {statistics.median(taken):,.0f} ms,"
                    f" longest {max(taken):,.0f} ms"
                )


if __name__ == "__main__":
    main()
