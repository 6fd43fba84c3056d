"""`python -m abasto` is `abasto`."""

import sys

from abasto.cli import main

if __name__ == "__main__":
    sys.exit(main())
