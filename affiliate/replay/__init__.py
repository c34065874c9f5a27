"""What another attribution policy would have meant: a stored period decided again, in money. Nothing in production changes."""
