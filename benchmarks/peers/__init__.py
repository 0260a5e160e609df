"""The peers: each in an environment of its own, measured by the same driver as anonrun in the same run."""
