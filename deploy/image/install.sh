#!/bin/sh
# Installs the server into a virtual environment of its own: the steps of deploy/Dockerfile, in a form that
# can be run (and is tested) without an image builder. Run it from the top of the repository.
#
#   sh deploy/image/install.sh /opt/praetor
#
# Nothing but what requirements/ pins by hash is installed; nothing is compiled; pip does not stay.
set -eu

prefix=${1:?usage: deploy/image/install.sh PREFIX}
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m venv "$work/build"
"$work/build/bin/python" -m pip install --quiet --require-hashes --only-binary :all: -r requirements/bootstrap.txt
"$work/build/bin/python" -m hatchling build -t wheel -d "$work/dist"

"$python" -m venv "$prefix"
"$prefix/bin/python" -m pip install --quiet --require-hashes --only-binary :all: -r requirements/base.txt
"$prefix/bin/python" -m pip install --quiet --no-deps --no-index "$work"/dist/*.whl
"$prefix/bin/python" -m pip uninstall --quiet --yes pip setuptools
"$prefix/bin/python" -m compileall -q "$prefix/lib"
