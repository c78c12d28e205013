"""What travels on the bus, what is stored beside it, and what a user may configure: names, types and bounds; no behaviour."""
