"""The `anonrun` command."""
