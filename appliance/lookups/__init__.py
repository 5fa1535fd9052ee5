"""Doors to databases, directories and servers that say where a number is."""
