"""Did it help, did it harm? What the arms of a policy's experiments did, and how sure that is."""
