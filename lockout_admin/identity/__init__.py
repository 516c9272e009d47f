"""Who attempts what, and from where."""
