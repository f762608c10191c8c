"""Compiled core. Private: import from ``maskcodec`` instead."""
