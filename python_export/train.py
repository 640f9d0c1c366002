"""iris_export.train as a script: python python_export/train.py --help."""

import sys

from iris_export.train import main

if __name__ == "__main__":
    sys.exit(main())
