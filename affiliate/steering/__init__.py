"""What the figures say should be looked at: thresholds with alerts, the risk map, the momentum of partners."""
