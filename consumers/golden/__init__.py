"""The evaluator: asks a model what its golden set holds, and writes down what it answered."""
