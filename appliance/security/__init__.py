"""Keys, and what is made of them: branches, tags, tokens, nonces."""
