"""The run's data on disk, from the moment `log` returns until the server has it.

A run has a folder; each process that writes has its own part files in it, so that writers never share
a file and no lock is needed between processes or on a network file system.
"""
