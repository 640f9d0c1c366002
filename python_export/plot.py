"""iris_export.plot as a script: python python_export/plot.py --help."""

import sys

from iris_export.plot import main

if __name__ == "__main__":
    sys.exit(main())
