"""How each program is made to do the same: one module a program, loaded by the driver inside its environment.

An adapter imports its program only inside functions, so that the driver can time the import.
"""
