"""A site to try lockout_admin on."""
