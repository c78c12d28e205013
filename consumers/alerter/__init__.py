"""The alerter: people are told what is open."""
