"""For ASGI servers: ``uvicorn demo.fastapi.app:app``. ``manage.py fastapi`` sets everything up."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import Annotated, Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
django.setup()

from asgiref.sync import sync_to_async  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.core import signing  # noqa: E402
from fastapi import Depends, FastAPI, HTTPException  # noqa: E402
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer  # noqa: E402
from pydantic import BaseModel, Field  # noqa: E402

from lockout_admin.integrations.fastapi import Logins, guard  # noqa: E402

SALT = "demo.fastapi"
TOKEN_SECS = 3600

app = FastAPI(title="lockout_admin: logins of FastAPI")
guard(app)


class Credentials(BaseModel):
    """What a program posts."""

    # PostgreSQL takes no NUL.
    username: str = Field(pattern=r"^[^\x00]{1,254}$", examples=["alice"])
    password: str = Field(min_length=1, max_length=4096)


class Token(BaseModel):
    """What it gets."""

    access_token: str
    token_type: str = "bearer"


@app.post("/token")
async def token(given: Credentials, logins: Logins) -> Token:
    """Check the password here, in a block that takes a try first."""
    async with logins.attempt(given.username, given.password) as attempt:
        user = await account_of(given)
        if user is None:
            raise wrong()
        attempt.succeeded(user)
    await logins.asession_begins(user)
    return token_of(user)


@app.post("/login")
def log_in(given: Credentials, logins: Logins) -> Token:
    """Have Django's backends check it, which are guarded themselves; in a thread."""
    user = logins.authenticate(username=given.username, password=given.password)
    if user is None:
        raise wrong()
    logins.session_begins(user)
    return token_of(user)


@app.get("/me")
async def me(
    bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
) -> dict[str, str]:
    """Say whose token it is."""
    try:
        found = signing.loads(bearer.credentials, salt=SALT, max_age=TOKEN_SECS)
    except signing.BadSignature:
        raise HTTPException(HTTPStatus.UNAUTHORIZED, "No valid token.") from None
    return {"username": found["username"]}


async def account_of(given: Credentials) -> Any:
    """Return the account whose password this is; unknown names take as long as wrong ones."""
    user = await get_user_model().objects.filter(username=given.username).afirst()
    if user is None or user.get_username() != given.username:
        await sync_to_async(make_password, thread_sensitive=False)(given.password)
        return None
    return user if await user.acheck_password(given.password) and user.is_active else None


def token_of(user: Any) -> Token:
    """Return a signed token, good for an hour."""
    return Token(access_token=signing.dumps({"username": user.get_username()}, salt=SALT))


def wrong() -> HTTPException:
    """Return the answer to a wrong password, and to a name that nobody has."""
    return HTTPException(HTTPStatus.UNAUTHORIZED, "Wrong username or password.")
