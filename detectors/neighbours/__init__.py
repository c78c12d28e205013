"""Neighbours: how familiar texts, embeddings and rows are, by the nearest of the training data, and which field of a row it is."""
