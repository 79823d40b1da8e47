"""The independent check: a naive evaluator, finite differences, verdicts."""
