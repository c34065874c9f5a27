"""Tax papers: filed invoices, and the numbered ones that we write ourselves, with their PDFs."""
