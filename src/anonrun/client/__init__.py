"""The library that runs inside a training process: records, delivers, reads back.

It reaches the server only through `transport`, never imports the server or the notebook, and keeps
numpy, plotly and requests unloaded until they are needed.
"""
