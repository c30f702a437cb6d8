#!/bin/sh
# Prints the newest Python from 3.10 on that is in PATH and runs; one that can make a virtualenv comes first.
candidates="python3.13 python3.12 python3.11 python3.10 python3 python"

works() { "$1" -c "import sys; assert sys.version_info >= (3, 10); $2" >/dev/null 2>&1; }

for needs in "import ensurepip, venv" ""; do
    for candidate in $candidates; do
        if works "$candidate" "$needs"; then
            command -v "$candidate"
            exit
        fi
    done
done
echo "No Python 3.10 or later is in PATH. Install one (on Debian or Ubuntu: apt-get install python3 python3-venv)" \
    "or name one: make PYTHON=/path/to/python3" >&2
exit 1
