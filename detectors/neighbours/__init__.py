"""How like its training data a text, an embedding or a row is, in whole numbers; and what makes unlike ones so."""
