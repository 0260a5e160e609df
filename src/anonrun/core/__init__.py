"""Rules without I/O: stdlib only, no clock, no randomness of its own.

Everything here takes the time and the random bytes it needs as arguments, so that it can be tested
without a mock and used by the client, the server and the notebook alike. Nothing here imports from
the rest of anonrun except `anonrun.errors`.
"""
