"""What partners bring: figures by any thing, funnel, products, campaigns, cohorts, margin, service, what-if."""
