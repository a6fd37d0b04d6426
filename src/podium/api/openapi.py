"""Prints the API's OpenAPI document: `python -m podium.api.openapi`. For the console's build."""

from __future__ import annotations

import json
import sys

from podium.api.app import make_app


def main() -> None:
    json.dump(make_app(None).openapi(), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
