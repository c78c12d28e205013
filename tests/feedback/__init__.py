"""What people say of causes, and what was done when."""
