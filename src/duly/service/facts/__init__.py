"""What do we know now? Books and events, merged by key into one state whatever their order."""
