"""Exchange rates: of a day, by their source, stored; an order in another currency than its program's is paid by them."""
