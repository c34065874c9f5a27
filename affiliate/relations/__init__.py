"""What program and partner have to settle with one another: cases."""
