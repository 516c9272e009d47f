"""Owners are told, and help themselves; the security team is told."""
