"""``manage.py fastapi``: from an empty folder to logins of FastAPI beside the demo site."""

from __future__ import annotations

import uvicorn

from demo.arguments import FASTAPI_PORT

from .demo import Command as DemoCommand
from .demo import url_of

#: A login that fails, as it is typed.
TRY = """\
    curl -i -H 'Content-Type: application/json' {base}/token \\
        -d '{{"username": "alice", "password": "a guess"}}'"""


class Command(DemoCommand):
    """Sets the demo site up and serves the logins of FastAPI; ``manage.py demo`` goes on beside."""

    help = "Set the demo site up as 'demo' does, and serve its logins by FastAPI."
    port = FASTAPI_PORT

    def serve(self, host: str, port: int) -> None:
        """Serve it; who called is for TRUSTED_PROXIES to say, not for the server."""
        uvicorn.run(
            "demo.fastapi.app:app", host=host, port=port, proxy_headers=False, log_level="warning"
        )

    def tell_where(self, host: str, port: int) -> None:
        """Say where to look."""
        base = url_of(host, port)
        self.stdout.write(f"\n  Pages   {base}/docs")
        self.stdout.write(f"  JSON    POST {base}/token and {base}/login\n")
        self.stdout.write(f"  Five times, the last one is refused:\n{TRY.format(base=base)}\n")
        self.stdout.write(
            "\n  Console python3 manage.py demo  (in a second terminal: the same records)\n"
        )
