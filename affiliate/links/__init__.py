"""Partner links and coupons."""
