"""What is sent and said to partners: newsletters, creatives, cases."""
