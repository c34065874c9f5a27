"""Applications weighed: a rubric for each program, scores by facts and by reviewers, and a suggestion that explains itself."""
