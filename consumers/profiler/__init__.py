"""The profiler: prediction records in, panes and progress out."""
