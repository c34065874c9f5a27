"""What needs a decision now, and the pages of four people's days."""
