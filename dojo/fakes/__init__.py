"""Fake servers: real servers on 127.0.0.1, in the process that judges, for the length of a test.

A student's program meets them over real sockets. Each stands on a door (door.py) with a thread for each
client, and on connections (connection.py) that record what crosses them.
"""
