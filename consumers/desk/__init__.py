"""A place to review: what people are asked about predictions, shown on a page or in Label Studio, and what they answer, published."""
