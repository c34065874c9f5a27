"""Commissions, entries by hand, and the proof of the books."""
