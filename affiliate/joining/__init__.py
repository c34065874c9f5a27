"""How partners come: the application form of a program, drafts, questions and decisions, invitations, public texts."""
