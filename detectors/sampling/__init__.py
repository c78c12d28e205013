"""Which predictions people are asked about, with what probability, and what their answers say of all of them."""
