"""The staff's pages: what runs, what waits for a person, what was said and paid."""
