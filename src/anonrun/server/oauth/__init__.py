"""Asking providers who somebody is. Knows the network and no store; `ways.py` is the seam."""
