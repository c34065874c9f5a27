"""Programs, their settings and goals."""
