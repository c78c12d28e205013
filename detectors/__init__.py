"""Pure mathematics: arrays in, results out; no input or output, no clock, no bus."""
