"""The configuration language: read, compare, merge, print."""
