"""Program -> array steps, by index sets, never by recognising a layer."""
