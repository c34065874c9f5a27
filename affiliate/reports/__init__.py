"""Figures for pages, read from rollups."""
