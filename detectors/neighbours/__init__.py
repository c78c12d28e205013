"""How like the training data something is: texts and embeddings by their nearest neighbours in it."""
