"""Accesses, equations and programs; their scalar functions; their derivatives."""
