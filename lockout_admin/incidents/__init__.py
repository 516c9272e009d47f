"""Incidents: failures, refusals and successes that belong together."""
