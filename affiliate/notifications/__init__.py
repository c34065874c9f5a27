"""What happened, told outside: postbacks to partners' own systems, and the day's mail."""
