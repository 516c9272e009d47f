"""The settings of the challenge, and of the alarm of the whole site."""

from __future__ import annotations

from .kinds import Function, Number, Whole


class DefenceSettings:
    """Who is challenged, with how much work, and when the site is said to be under attack."""

    challenge = Function(
        "CHALLENGE",
        None,
        help="the dotted path of a challenge that strangers answer before their password is looked"
        ' at, `"lockout_admin.defences.work.ProofOfWork"`; `None`: nobody is challenged',
    )
    challenge_after_name = Whole(
        "CHALLENGE_AFTER_NAME",
        2,
        least=0,
        most=100,
        help="so many failures of strangers on a name in an hour have it challenged; 0: never",
    )
    challenge_after_network = Whole(
        "CHALLENGE_AFTER_NETWORK",
        5,
        least=0,
        most=100,
        help="so many failures from a network in an hour have it challenged; 0: never",
    )
    challenge_difficulty = Whole(
        "CHALLENGE_DIFFICULTY",
        2000,
        least=1,
        most=1_000_000,
        help="the most tries that a proof of work takes, of 1,000 rounds of PBKDF2 each;"
        " half of them on average",
    )
    alarm_least = Whole(
        "ALARM_LEAST",
        100,
        least=0,
        help="the site is under attack at so many failures of strangers in ten minutes at least;"
        " 0: no alarm",
    )
    alarm_factor = Number(
        "ALARM_FACTOR",
        5,
        least=1,
        most=1000,
        help="… and at so many times as many as are usual at that hour of the week",
    )
