"""What is kept? The tables of the service, with each invariant held by the database too."""
