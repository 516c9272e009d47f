"""A task backend whose worker works when it is told to."""

from __future__ import annotations

from typing import Any

from django.tasks.backends.base import BaseTaskBackend
from django.utils.module_loading import import_string


class Queue(BaseTaskBackend):
    """Keeps the names of tasks, as a backend with a worker elsewhere does."""

    supports_defer = True
    waiting: list[Any] = []

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        self.validate_task(task)
        self.waiting.append(task)

    @classmethod
    def work(cls) -> Any:
        """Run the oldest task as a worker does, which knows its path only."""
        return import_string(cls.waiting.pop(0).module_path).func()
