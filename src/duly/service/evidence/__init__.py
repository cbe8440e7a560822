"""What proves to a third party what was done about one loan, and why it was allowed?"""
