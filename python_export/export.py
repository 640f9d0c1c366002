"""iris_export.export as a script: python python_export/export.py --help."""

import sys

from iris_export.export import main

if __name__ == "__main__":
    sys.exit(main())
