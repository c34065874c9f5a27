"""The rules that decide about money: plans, attribution, fraud; and what others would have done."""
