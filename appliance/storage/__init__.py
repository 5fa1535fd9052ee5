"""Doors to what is stored."""
