"""The role that gives texts their vectors, once, in front of everything else."""
