#!/bin/sh
# Makes everything that the oracle needs in the folder $1 (default: target/oracle): a virtual environment and the jars of
# Spark NLP. Needs Java 8, 11 or 17, Maven and python3 (3.9 to 3.11). What is there already stays.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${1:-target/oracle}
mkdir -p "$home"
home=$(cd "$home" && pwd)

if [ ! -e "$home/venv/ready" ]; then
    "${PYTHON:-python3}" -m venv "$home/venv"
    "$home/venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
    touch "$home/venv/ready"
fi
if [ ! -e "$home/jars/ready" ]; then
    mvn --batch-mode --quiet --file "$here/pom.xml" --activate-profiles 5.5.3 dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$home/jars"
    touch "$home/jars/ready"
fi
echo "$home/venv/bin/python"
