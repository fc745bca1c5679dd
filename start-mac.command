#!/bin/bash
# For a double click on a Mac: what start-linux.sh does.
exec /bin/bash "$(dirname "${BASH_SOURCE[0]}")/start-linux.sh"
