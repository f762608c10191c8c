"""Drop-in layers for other packages' interfaces."""
