"""Download models: ``python scripts/download_models.py --language ru --language fa``.

The same as ``checker models download``.
"""

import sys

from checker.cli.app import main

if __name__ == "__main__":
    sys.argv[1:1] = ["models", "download"]
    main()
