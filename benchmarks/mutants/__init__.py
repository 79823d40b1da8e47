"""Faults to plant, in emitted source and in programs, and how they are judged."""
