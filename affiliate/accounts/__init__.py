"""Users, grants, keys, sign-in, and the audit trail."""
