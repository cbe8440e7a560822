"""Who is sending what, and may it? Claims, submissions and answers, each its own transaction."""
