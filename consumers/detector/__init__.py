"""The detector: panes and progress in, drift events out."""
