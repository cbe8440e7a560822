"""What others hear of us: events posted as Standard Webhooks, signed, tried for three days."""
