"""Networks, activations and losses by name, expanded to the equations that define them."""
