"""Is a policy right for everybody, and what does another one change? Proofs, refutations, diffs."""
