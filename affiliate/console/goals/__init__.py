"""Goals, the board of figures with its alerts, and the risk map."""
