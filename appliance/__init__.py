"""Signalbox: a SIP signalling appliance. The floors are drawn in ARCHITECTURE.md."""
