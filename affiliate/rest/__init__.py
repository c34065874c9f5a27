"""The API: what a program key may read, and the few things it may make beside events."""
