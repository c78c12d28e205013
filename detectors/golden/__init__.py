"""Golden sets: what an answer loses, and what a topic of requests, starts and results comes to. Pure."""
