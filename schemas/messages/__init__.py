"""Messages: what travels on the bus, one file a message, each with what identifies it."""
