"""Paying: runs, payouts, accounts, tax papers."""
