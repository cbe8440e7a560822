"""What are money, days, ids, errors?"""
