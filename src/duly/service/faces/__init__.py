"""What pages for people have in common, whoever they are for: borrowers and the lender's staff."""
