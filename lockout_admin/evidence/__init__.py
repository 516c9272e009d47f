"""What the records say: filters, patterns, overview, retention, log lines."""
