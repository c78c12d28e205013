"""A model that learns from its labels: two candidates, which of them serves, and when labels are not to be believed."""
