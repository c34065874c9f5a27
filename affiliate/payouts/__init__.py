"""Commissions become payouts: proposed by one person, approved by another."""
