"""The borrowers' pages: is this message yours, is the figure right, why was I written to?"""
