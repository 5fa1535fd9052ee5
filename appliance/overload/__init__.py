"""Admission, quick refusal and rate limits."""
