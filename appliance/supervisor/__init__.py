"""The supervisor process of one node."""
