"""`python -m hypomag`."""

from hypomag.cli import main

main()
