"""`python -m hypomag`."""

from hypomag.start import main

main()
