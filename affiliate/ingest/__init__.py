"""Stream events become clicks, conversions, order events and refunds, exactly once."""
