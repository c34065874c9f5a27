"""What taxes ask: who sells to whom, which paper a partner's money needs, what is added and what is withheld."""
