"""Runs the program with the arguments of the command line."""

import os
import sys

from . import binary


def main() -> None:
    program = binary()
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == "__main__":
    main()
