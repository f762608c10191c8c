"""One module (or folder) per annotation format; see ``maskcodec.registry`` for the table."""
