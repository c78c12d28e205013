"""The pipeline as a table, and what follows from it: the process that turns the roles, driftbus's own topics, the documents."""
