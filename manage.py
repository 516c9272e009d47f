#!/usr/bin/env python3
"""Runs the demo site's commands. ``python3 manage.py demo`` needs nothing but Python."""

import sys

# Read by every Python there is: nothing newer than this may stand above or in this block.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "lockout_admin needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".\n"
        "Install a newer one (https://www.python.org/downloads/) and call it by its name:"
        " python3.13 manage.py demo"
    )

from demo.bootstrap import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
