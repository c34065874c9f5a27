"""Newsletters: issues made of blocks, whom they go to, one delivery per issue and person, and the ways to stop them."""
