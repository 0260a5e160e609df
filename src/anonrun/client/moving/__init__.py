"""Moves a run from one server into an account of another: read, written there, compared point by point, then removed.

Nothing is removed before the other server has proven to hold every point, and nothing is in memory only: a move that
stops anywhere, by `kill -9` too, goes on where it was when it is asked for again.
"""
