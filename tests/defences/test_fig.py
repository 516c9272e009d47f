import pytest

from tests.defences.test_neighbours import *


@pytest.mark.parametrize("size,hours", [(60, 0.5), (1000, 8), (1000, 2), (1000, 1)])
@pytest.mark.parametrize("cookies", ["kept", "none"])
@pytest.mark.parametrize("expired", [False, True])
def test_fig(clock, size, hours, cookies, expired):
    c = Crowd(size, clock)
    if cookies == "kept":
        c.spend_a_morning(hours=8)
        clock.tick(3 * DAY)
        c.answers.clear()
    c.spend_a_morning(hours=hours, expired=expired)
    print("FIG", size, hours, cookies, "expired" if expired else "normal", dict(c.answers))
