"""What the console reads across stages: every SELECT of its pages, each bounded and without a query per row."""
