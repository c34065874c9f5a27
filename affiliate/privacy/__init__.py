"""A partner's own data: handed out on demand, and taken away where no law wants it kept."""
