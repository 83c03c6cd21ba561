"""`python -m suite` is `orthanc-share`."""

from suite.cli import main

main()
