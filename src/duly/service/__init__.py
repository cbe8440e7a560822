"""The running system: its database, its jobs, what programs and people ask of it."""
