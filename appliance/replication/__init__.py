"""Bindings and connections that every worker of a node knows."""
