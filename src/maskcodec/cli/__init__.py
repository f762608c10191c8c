"""The command line. Results go to standard output, errors and progress to standard error.

Exit codes: 0 done; 1 the answer is no (something would be lost under ``--on-loss raise``, ``--verify`` found a
difference, ``validate`` an error, ``diff`` a difference); 2 an error in the arguments, the data or the system; 130
interrupted.
"""

from maskcodec.cli._main import main

__all__ = ["main"]
