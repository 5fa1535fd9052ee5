"""How results are drawn: one file a subject. Each view takes the result as it came and gives lines."""
