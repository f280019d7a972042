"""hypomag: a knowledge graph of primary hypomagnesemia, and the tool that checks, asks and ships it.

>>> import hypomag
>>> hypomag.show("TRPM6").label
'TRPM6'
>>> hypomag.query("which-genes", disease="FHSH")[0]["geneLabel"]
'TRPM6'
"""

__version__ = "0.1.0"
__all__ = ["Graph", "HypomagError", "__version__", "load", "query", "show", "validate"]

TYPE_CHECKING = False  # typing itself takes a third of the time of a cold query
if TYPE_CHECKING:
    from hypomag.library import Graph, HypomagError, load, query, show, validate


def __getattr__(name: str) -> object:
    # The command line must not pay for what only the library needs.
    if name in __all__:
        from hypomag import library

        return getattr(library, name)
    raise AttributeError(f"module 'hypomag' has no attribute {name!r}")
