"""How a database of an older anonrun becomes one of this: Alembic's revisions, and the call that runs them."""
