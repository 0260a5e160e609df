"""The database and everything that knows it; the only place where SQL is written.

Functions of the modules beside this one take a `Tx` first and run inside its transaction, so that a
caller composes them without knowing how the store keeps its promises. Nothing here knows HTTP, tokens in
clear or who may do what.
"""
