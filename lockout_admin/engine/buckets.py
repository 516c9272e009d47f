"""What one attempt falls into: its buckets, and each matter once with the rules that count it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .rules import LONGEST_LEASE, Bucket, Facts, Matter, Rule


def buckets_of(facts: Facts, rules: Sequence[Rule]) -> tuple[Bucket, ...]:
    """Return what an attempt falls into; rules that do not apply to it are left out."""
    matters: dict[str, Matter | None] = {}
    for rule in rules:
        if rule.scope.name not in matters:
            matters[rule.scope.name] = rule.scope.of(facts)
    return buckets_in(facts, rules, matters)


def buckets_in(
    facts: Facts, rules: Sequence[Rule], matters: Mapping[str, Matter | None]
) -> tuple[Bucket, ...]:
    """Return likewise, where it is known what it falls into within each scope, by its name."""
    found = ((rule, matters[rule.scope.name]) for rule in rules)
    return tuple(Bucket(rule.for_attempt(facts), matter) for rule, matter in found if matter)


def capacity(rules: Iterable[Rule]) -> int:
    """Return how many slots one matter has: as many as the tightest rule."""
    return min(rule.slots for rule in rules)


def refuse(rules: Iterable[Rule]) -> bool:
    """Tell whether any of the rules does more than watch."""
    return any(rule.enforces for rule in rules)


def lease(rules: Iterable[Rule]) -> int:
    """Return for how many seconds a slot is held: the shortest interval, ten minutes at most."""
    return min(LONGEST_LEASE, *(rule.interval for rule in rules))


#: Each matter once, with the rules that count it, by its key.
Matters = dict[int, tuple[Matter, tuple[Rule, ...]]]


def matters_of(buckets: Iterable[Bucket]) -> Matters:
    """Return each matter once, with its rules, by its key."""
    found: Matters = {}
    for bucket in buckets:
        _, rules = found.get(bucket.matter.key, (bucket.matter, ()))
        found[bucket.matter.key] = (bucket.matter, (*rules, bucket.rule))
    return found
