"""What is ready to use: specs by name."""
