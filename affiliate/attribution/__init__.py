"""Each conversion gets a versioned outcome: credits with a trace, or a reason."""
