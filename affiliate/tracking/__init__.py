"""The tracker: requests become decisions, decisions become events in the stream."""
