"""The pure rules of time: where a partition is cut, when a bucket is complete. No clock, no bus."""
