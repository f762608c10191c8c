"""The data model: what a data set is, whatever file it came from."""
