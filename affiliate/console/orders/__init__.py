"""Orders and what is doubtful about them."""
