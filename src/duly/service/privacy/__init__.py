"""What is known of a person, under which key, how long, and how it is forgotten."""
