"""What a database did for a query: how many rows it read, and what it had to sort."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from django.db import connection

#: Rows that a page may read and sort: where a count stops, times ten for a filter.
MOST_ROWS: Final = 100_000
#: Rows that it may read without an index: where a count stops, and the few that it passes over.
MOST_SCANNED: Final = 10_100


def faults(sql: str, params: Any) -> list[str]:
    """Return what is wrong with the plan of a query; some databases run it for that."""
    if connection.vendor == "sqlite":
        return list(_sqlite(sql, params))
    vendor = {"postgresql": _postgresql, "mysql": _mysql}[connection.vendor]
    return list(vendor(sql, params))


def _explained(prefix: str, sql: str, params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"{prefix} {sql}", params)
        return cursor.fetchall()


def _postgresql(sql: str, params: Any) -> Iterator[str]:
    ((plans,),) = _explained("EXPLAIN (ANALYZE, FORMAT JSON)", sql, params)
    plan = json.loads(plans) if isinstance(plans, str) else plans
    for node in _nodes(plan[0]["Plan"], "Plans"):
        rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        if rows > (MOST_SCANNED if _is_scan_of_visits(node) else MOST_ROWS):
            yield f"{node['Node Type']} of {node.get('Relation Name', '')} reads {rows:,.0f} rows"


def _is_scan_of_visits(node: dict[str, Any]) -> bool:
    """Tell whether a table is read that grows with strangers' tries; locks are far fewer."""
    return node["Node Type"] == "Seq Scan" and node["Relation Name"] in (
        "lockout_admin_failedlogin",
        "lockout_admin_successfullogin",
    )


def _mysql(sql: str, params: Any) -> Iterator[str]:
    ((plan,),) = _explained("ANALYZE FORMAT=JSON", sql, params)
    # MariaDB writes what it compares binary columns with as it is, quotes and all.
    valid = re.sub(r'("\w*condition"): ".*?"(?=,?\n\s*["}\]])', r'\1: ""', plan, flags=re.DOTALL)
    valid = re.sub(
        r"\\(.)", lambda match: match[0] if match[1] in '"\\/bfnrtu' else match[1], valid
    )
    for node in _nodes(json.loads(valid, strict=False)):
        rows = float(node.get("r_rows") or 0) * float(node.get("r_loops") or 1)
        if str(node.get("table_name")).startswith("lockout_admin_") and rows > (
            MOST_SCANNED if node.get("access_type") == "ALL" else MOST_ROWS
        ):
            yield f"{node.get('access_type')} of {node['table_name']} reads {rows:,.0f} rows"


def _sqlite(sql: str, params: Any) -> Iterator[str]:
    steps = [row[3] for row in _explained("EXPLAIN QUERY PLAN", sql, params)]
    has_limit = " LIMIT " in sql
    for step in steps:
        scans_all = re.match(
            r"SCAN lockout_admin_(failedlogin|successfullogin|accountlock)\b(?!.*INDEX)", step
        )
        is_of_visits = re.match(r"SCAN lockout_admin_(failed|successful)", step)
        if scans_all or (is_of_visits and not has_limit):
            yield step
        is_sorted = step.startswith("USE TEMP B-TREE FOR ORDER BY") and "exemption" not in sql
        if is_sorted and not any("SEARCH" in other for other in steps):
            yield step


def _nodes(node: Any, below: str = "") -> Iterator[dict[str, Any]]:
    """Walk a plan; `below` is the key of a node's children, if only one has any."""
    if isinstance(node, list):
        for child in node:
            yield from _nodes(child, below)
    elif isinstance(node, dict):
        yield node
        yield from _nodes([node.get(below, [])] if below else list(node.values()), below)
