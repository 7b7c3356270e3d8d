"""`python -m workloadd.docs DIRECTORY`: write all documents below it that are not up to date."""

import sys
from pathlib import Path

from workloadd.docs.table import DOCUMENTS


def main(directory: Path) -> None:
    """Each is made before any is written."""
    made = {directory / name: make() for name, make in DOCUMENTS.items()}
    for path, text in made.items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            sys.stdout.write(f"{path} is new\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
