"""A site whose usernames are telephone numbers, UUIDs, numbers or relations."""
