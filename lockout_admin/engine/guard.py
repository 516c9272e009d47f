"""The guard around a site's backends: one attempt for one guess, from its slot to its end.

Its states, and what moves it from one to the next:

| state       | event                          | becomes     | and the attempt is |
|-------------|--------------------------------|-------------|--------------------|
| reserved    | the backend is asked           | verifying   |                    |
| reserved    | cancelled                      | ended       | abandoned          |
| verifying   | answered a user                | ended       | succeeded          |
| verifying   | answered None                  | ended       | failed             |
| verifying   | answered None, not the last    | left        |                    |
| verifying   | raised a refusal               | ended       | failed             |
| verifying   | raised a fault                 | ended       | abandoned          |
| verifying   | was refused inside             | ended       | abandoned          |
| verifying   | cancelled                      | ended       | failed             |
| left        | the next backend is asked      | asked again |                    |
| left        | logged in                      | ended       | succeeded          |
| left        | nobody else was asked          | ended       | failed             |
| left        | cancelled                      | ended       | failed             |
| asked again | answered a user                | ended       | succeeded          |
| asked again | answered None                  | ended       | failed             |
| asked again | answered None, not the last    | left        |                    |
| asked again | raised a refusal               | ended       | failed             |
| asked again | raised a fault                 | ended       | failed             |
| asked again | was refused inside             | ended       | failed             |
| asked again | cancelled                      | ended       | failed             |

An attempt is free until `attempts.begin` lets it in: then it is reserved. What is not in the table
changes nothing, so that of two who end the same attempt at once, one does. A fault gives back what
was reserved, unless an earlier backend has found the password wrong already. Whoever hangs up while
his password is verified has failed: it may have been evaluated.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..identity import names
from ..identity.entrances import Entrance
from ..identity.subject import Subject
from . import attempts
from .attempts import Attempt
from .refusals import is_of_another


class State(Enum):
    """Where a guess is."""

    RESERVED = "reserved"
    VERIFYING = "verifying"
    #: A backend has found it wrong, and a later one will be asked.
    LEFT = "left"
    ASKED_AGAIN = "asked again"
    ENDED = "ended"


class Event(Enum):
    """What happens to it."""

    ASKED = "the backend is asked"
    ANSWERED_USER = "answered a user"
    ANSWERED_NONE = "answered None"
    NOT_THE_LAST = "answered None, not the last"
    REFUSED = "raised a refusal"
    FAULT = "raised a fault"
    #: What the backend asked was refused without a look.
    REFUSED_INSIDE = "was refused inside"
    CANCELLED = "cancelled"
    CONTINUED = "the next backend is asked"
    LOGGED_IN = "logged in"
    NOBODY_ASKED = "nobody else was asked"


class Ending(Enum):
    """How it ends."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABANDONED = "abandoned"


def _while_verifying(state: State, fault: Ending) -> dict[tuple[State, Event], Any]:
    return {
        (state, Event.ANSWERED_USER): (State.ENDED, Ending.SUCCEEDED),
        (state, Event.ANSWERED_NONE): (State.ENDED, Ending.FAILED),
        (state, Event.NOT_THE_LAST): (State.LEFT, None),
        (state, Event.REFUSED): (State.ENDED, Ending.FAILED),
        (state, Event.FAULT): (State.ENDED, fault),
        (state, Event.REFUSED_INSIDE): (State.ENDED, fault),
        (state, Event.CANCELLED): (State.ENDED, Ending.FAILED),
    }


TRANSITIONS: dict[tuple[State, Event], tuple[State, Ending | None]] = {
    (State.RESERVED, Event.ASKED): (State.VERIFYING, None),
    (State.RESERVED, Event.CANCELLED): (State.ENDED, Ending.ABANDONED),
    **_while_verifying(State.VERIFYING, fault=Ending.ABANDONED),
    (State.LEFT, Event.CONTINUED): (State.ASKED_AGAIN, None),
    (State.LEFT, Event.LOGGED_IN): (State.ENDED, Ending.SUCCEEDED),
    (State.LEFT, Event.NOBODY_ASKED): (State.ENDED, Ending.FAILED),
    (State.LEFT, Event.CANCELLED): (State.ENDED, Ending.FAILED),
    **_while_verifying(State.ASKED_AGAIN, fault=Ending.FAILED),
}


@dataclass(slots=True, eq=False)
class Guess:
    """A name and a password on their way through the guarded backends of a site."""

    attempt: Attempt
    #: Where in AUTHENTICATION_BACKENDS the backend stands that has it, or had it last.
    position: int
    #: The name that was typed, and what its backend knows of the names of accounts.
    entrance: Entrance
    state: State = State.RESERVED
    #: Tells this password from another while it is left to a later backend.
    digest: bytes = field(default=b"", repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def meet(self, event: Event, user: Any = None) -> bool:
        """Let an event happen; end the attempt where the table says so. False: nothing changed."""
        with self._lock:
            before = self.state
            self.state, ending = TRANSITIONS.get((before, event), (before, None))
        if ending is Ending.SUCCEEDED:
            attempts.succeed(self.attempt, user)
        elif ending is Ending.FAILED:
            attempts.fail(self.attempt)
        elif ending is Ending.ABANDONED:
            attempts.abandon(self.attempt)
        return self.state is not before

    def log_in(self, user: Any) -> bool:
        """End it by what a backend without the guard found: a success, if this is `user`'s name.

        Else it has failed. Who guesses at ``alissa`` and brings a token of his own in the same
        request has no free guess, even if he is called ``alisa``, or gave her name as his address,
        or has hers as his username.
        """
        is_own = self.entrance.is_username_of(user) and not is_of_another(self.attempt, user)
        is_own = is_own and not names.is_anothers(self.attempt.subject, user)
        return self.meet(Event.LOGGED_IN if is_own else Event.NOBODY_ASKED, user)

    def request_is_over(self) -> None:
        """End it without a word."""
        self.meet(Event.NOBODY_ASKED)

    def covers(self, subject: Subject, digest: bytes) -> bool:
        """Tell whether a backend has it; that may ask by another name, or for a hash."""
        return self.state in (State.VERIFYING, State.ASKED_AGAIN)
