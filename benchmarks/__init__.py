"""Figures for the docs: each module prints the table that it is named after."""
