"""hypomag: a knowledge graph of primary hypomagnesemia, and the tool that checks, asks and ships it."""

__version__ = "0.1.0"
