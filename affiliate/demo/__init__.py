"""The demo program and its shop."""
