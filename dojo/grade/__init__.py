"""Grading a class: many submissions, each judged inside a sandbox, and what becomes of the results."""
