"""Formulas at points where floats fail, and how each library computes them."""
