"""Records on their way out, as files."""
