"""So what happens to each loan today? All of them at once."""
