"""Credits become commissions: plans, amounts, life, reversals."""
