"""Partners: the list, one partner, what is agreed with it, acts on many, and going."""
