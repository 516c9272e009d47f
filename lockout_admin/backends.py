"""The shipped backend: Django's own, guarded, and proof against what is sent in place of text."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import DataError, OperationalError
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from .conf import conf
from .decorators import apply_account_lock
from .identity.entrances import own_name
from .identity.field import is_plain, looked_up, username_field
from .identity.text import REPLACEMENT
from .models.accounts import hash_in_vain

logger = logging.getLogger("lockout_admin")

#: No password is longer. Some hashers grow slow on what is, and some raise.
PASSWORD_MAX_LENGTH = 4096

#: What databases, fields and hashers raise at values that they can't take.
_UNFIT = (ValueError, OverflowError, ValidationError, DataError)
#: What MySQL and MariaDB call a name that the character set of a column does not know.
_UNKNOWN_CHARACTERS = (1267, 3988)


class LockoutBackend(ModelBackend):
    """Checks usernames and passwords as `ModelBackend` does, and refuses attempts past the limit.

    An account is entered under its own username only, in whatever spelling is counted as the same;
    everything else is wrong, at the cost of a wrong password.
    """

    @apply_account_lock(names=own_name)
    @sensitive_variables()
    def authenticate(  # type: ignore[override]
        self,
        request: HttpRequest | None,
        username: Any = None,
        password: Any = None,
        **kwargs: Any,
    ) -> AbstractBaseUser | None:
        """Return the user with these credentials, or ``None``; raise `AccountLocked`: refused."""
        username = _typed_name(username, kwargs)
        if username is None or password is None:
            return None
        if _may_be_known(username, password):
            try:
                return super().authenticate(request, username=username, password=_text(password))
            except (*_UNFIT, OperationalError) as error:
                _log(error)
        hash_in_vain()
        return None

    @apply_account_lock(names=own_name)
    @sensitive_variables()
    async def aauthenticate(  # type: ignore[override]
        self,
        request: HttpRequest | None,
        username: Any = None,
        password: Any = None,
        **kwargs: Any,
    ) -> AbstractBaseUser | None:
        """Async twin of `authenticate`."""
        username = _typed_name(username, kwargs)
        if username is None or password is None:
            return None
        if _may_be_known(username, password):
            try:
                return await super().aauthenticate(
                    request, username=username, password=_text(password)
                )
            except (*_UNFIT, OperationalError) as error:
                _log(error)
        await sync_to_async(hash_in_vain, thread_sensitive=False)()
        return None


def _typed_name(username: Any, kwargs: dict[str, Any]) -> Any:
    return kwargs.get(get_user_model().USERNAME_FIELD) if username is None else username


@sensitive_variables()
def _may_be_known(username: Any, password: Any) -> bool:
    # A site that only watches lets in whom Django's own backend lets in.
    return conf.only_watches or (_is_name(username) and _is_password(password))


def _is_name(username: Any) -> bool:
    """Tell whether an account may be called so; what none can be called is not looked up."""
    field = username_field()
    if isinstance(username, bool) or (is_plain(field) and not isinstance(username, str)):
        return False
    try:
        name = looked_up(username)
    except Exception:  # noqa: BLE001 - fields are anybody's, and so is what they raise
        return False
    if not isinstance(name, str):
        return True
    return REPLACEMENT not in name and (field.max_length is None or len(name) <= field.max_length)


def _is_password(password: Any) -> bool:
    if len(password) > PASSWORD_MAX_LENGTH:
        return False
    try:
        _text(password)
    except UnicodeDecodeError:
        return False
    return True


def _text(password: Any) -> str:
    # Not every hasher takes bytes.
    return password.decode() if isinstance(password, bytes) else password


def _log(error: Exception) -> None:
    """Log what a name or a password was unfit for; raise what is no fault of theirs.

    Where the site only watches, a `ValidationError` is raised as well: forms and JSON views make
    an answer of it, and that answer is the site's.
    """
    if isinstance(error, ValidationError) and conf.only_watches:
        raise error
    if isinstance(error, OperationalError) and error.args[0] not in _UNKNOWN_CHARACTERS:
        raise error
    # Without the message, which may quote the password.
    logger.warning("credentials_unfit: %s at a name or a password.", type(error).__name__)
