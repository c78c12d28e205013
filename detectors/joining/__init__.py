"""Label meets prediction: what waits for a label, and what is known when one comes."""
