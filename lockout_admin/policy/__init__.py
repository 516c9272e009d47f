"""What the rules in force promise, and which clauses of which standards they answer."""
