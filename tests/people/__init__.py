"""An app with accounts whose usernames are no plain text."""
