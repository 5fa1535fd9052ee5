"""Doors between processes."""
