"""Pages for everybody: programs, what they pay, how to join."""
