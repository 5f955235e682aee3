"""A dojo of katas for network programming in Python."""
