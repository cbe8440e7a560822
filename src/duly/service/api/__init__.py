"""The API over HTTP: what other programs may ask and tell, and the errors they get."""
