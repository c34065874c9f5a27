"""Partners, their members, applications and enrollments."""
