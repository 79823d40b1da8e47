"""The notation of equations: what the parser reads, the printer writes."""
