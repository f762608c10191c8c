"""What several formats need: sources, sinks, JSON, images."""
