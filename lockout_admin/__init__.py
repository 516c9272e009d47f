"""Account lockout and a security console for Django."""

__version__ = "0.1.0"
