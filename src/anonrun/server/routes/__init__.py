"""HTTP, one module a resource. Each declares its operations; `app.py` makes the application of them."""
