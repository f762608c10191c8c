"""Formats of the Segments.ai platform: label attributes and release files, one module a family of task types."""
