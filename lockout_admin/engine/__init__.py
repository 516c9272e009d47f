"""May they try: rules, reservations, locks, and the story of an attempt."""
