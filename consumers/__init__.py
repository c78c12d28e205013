"""The processes, the bus they meet on, and the command line."""
