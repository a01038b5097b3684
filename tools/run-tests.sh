#!/bin/sh
# Run pytest in two passes: run-tests.sh BIN WORKERS [pytest's arguments]. $ORDERING: the order of the tests.
# Tests marked "paced" judge times of a virtual camera that has to keep real time: beside three busy neighbours on two
# cores it is late, and fails by the machine's fault. They come last, two at once.
set -u
bin=$1 workers=$2
shift 2
# Workers fill the cores: threads of a linear algebra library would only spin beside them.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# The tests start hundreds of processes. Where this is set (in many container images) each would compile every module anew.
unset PYTHONDONTWRITEBYTECODE
NO_TESTS=5 # pytest's exit code

pass() {
    marked=$1 with=$2
    shift 2
    if [ -n "${CAMCERT_COVERAGE:-}" ]; then set -- -m pytest "$@" && command="$bin/coverage run"; else command=$bin/pytest; fi
    # shellcheck disable=SC2086  # words are meant
    $command "$@" -n "$with" --dist worksteal ${ORDERING:-} -m "$marked"
}

pass "not paced" "$workers" "$@"
first=$?
[ $first -eq 2 ] && exit 2 # Ctrl-C
pass paced "$((workers < 2 ? workers : 2))" "$@"
second=$?
[ $first -eq $NO_TESTS ] && exit $second
[ $second -eq $NO_TESTS ] && exit $first
exit $((first > second ? first : second))
