"""Numbers as people read them."""

from __future__ import annotations

from django.utils.formats import number_format


def counted(count: int, cap: int) -> str:
    """Return a number with separators, and a plus where counting ended at `cap`."""
    return grouped(count) + "+" * (count >= cap)


def grouped(count: int) -> str:
    """Return a number with separators."""
    return number_format(int(count), force_grouping=True)
