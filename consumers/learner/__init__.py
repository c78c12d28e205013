"""The learner: labelled rows in, what is learnt from them out."""
