"""What `driftbus check` looks at: each file yields findings about one thing."""
