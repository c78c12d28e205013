"""Counting pairs: products of rank scores, in sampled rows."""

#: Sums of products are of multiples of 2^-20: each product lies within +-3.
PAIR_SCALE = 2.0**20
