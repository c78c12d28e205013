"""A year of real flights, replayed as predictions through the product itself."""
