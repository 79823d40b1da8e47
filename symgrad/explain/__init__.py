"""The derivation of a gradient, as numbered steps that a person can follow."""
