"""How the shop is connected, and what arrived."""
