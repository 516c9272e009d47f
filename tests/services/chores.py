"""What a process does by the clock, done at once: else an attempt that is counted would have it."""

from __future__ import annotations

from lockout_admin.defences import alarm, lists


def do_now() -> None:
    """Ask for the lists, due each two seconds, and count for the site's alarm, due each minute."""
    lists._known.of_site().look_again()
    lists.is_allowed("203.0.113.1")
    alarm.watch(now=True)
