"""The process of a node that talks to databases for all others: it reads route tables on a schedule."""
