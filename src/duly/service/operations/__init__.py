"""What may be done? Each operation in one transaction, with its locks and its audit rows."""
