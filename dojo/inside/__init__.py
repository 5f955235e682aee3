"""All that runs in the student's process.

Only the standard library is imported here, and as little of it as possible: what is loaded here is loaded
in the student's program too, and a forgotten ``import urllib.parse`` must fail as it would anywhere else.
"""
