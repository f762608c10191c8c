"""Speed of the codec beside its peers: `python -m benchmarks --help`."""
