"""`python -m gmv`."""

from gmv.cli import main

main()
