"""Random programs: how they are drawn, run, translated to JAX, compared and shrunk."""
