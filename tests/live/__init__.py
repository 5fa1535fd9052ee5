"""Signalbox and real peers on loopback: SIPp, baresip, linphonec, Kamailio, sipsak."""
