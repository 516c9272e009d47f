"""What a setting is, and the values that it may have; `conf` declares the settings."""
