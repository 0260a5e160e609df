"""What is logged at a step and is no single number: pictures, histograms, tables, texts, curves, figures.

`content` says what one is, and a module each makes one from what users have; `recognise` tells what may be logged as it
is; `shelf` keeps items on disk until `outbox` has brought them to the server.
"""
