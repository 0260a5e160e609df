"""The server: HTTP in front of the store.

Layers, each knowing only those below: `routes` (HTTP, one module a resource), `access`, `security` and `errors`
(who asks, and how a refusal looks), `services` (what happens; no HTTP, no SQL), the store.
"""
