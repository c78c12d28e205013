"""Random logs of predictions and labels through the product, against the rules and a batch computation: `python -m tests.oracle.joins`."""
