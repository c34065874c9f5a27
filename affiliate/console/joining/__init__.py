"""How partners come: the public page, invitations, application forms, applications weighed."""
