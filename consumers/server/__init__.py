"""The server: requests in, what learners' models say out."""
