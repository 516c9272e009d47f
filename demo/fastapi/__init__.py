"""Logins of FastAPI beside the demo site: its accounts, its limits, its console."""
