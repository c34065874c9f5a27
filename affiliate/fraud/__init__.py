"""A credited conversion passes, is put under review, or is rejected, with the rules that spoke and their evidence."""
