"""References: built from tables or messages, kept under their hash, announced, held by those who count."""
