"""A small SIP user agent, to try the appliance with: `python -m demo`. It shares no code with the appliance."""
