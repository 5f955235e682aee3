"""What keeps a student's process from everything but its own file and its test: levels of isolation and limits."""
