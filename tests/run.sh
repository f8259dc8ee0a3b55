#!/bin/bash
# Every test there is: installs what is missing, builds, runs, counts.
#
#   tests/run.sh           about 20 minutes on two cores
#   tests/run.sh --long    also soaks and ten minutes of fuzzing a target
#   tests/run.sh --quick   only the sanitizer build and its tests
#
# Ends with the line "N passed, N failed" (", N skipped" may follow); exit 1 when anything failed.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here" || exit 1
. gateway/packages.sh

long=no
quick=no
for word in "$@"; do
    case "$word" in
    --long) long=yes ;;
    --quick) quick=yes ;;
    *) echo "usage: $0 [--long|--quick]" >&2 && exit 64 ;;
    esac
done
export ISG_CORPUS="${ISG_CORPUS:-$here/../shared/corpus}"
export PYTHONDONTWRITEBYTECODE=1
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1

# shellcheck disable=SC2086
install_packages $RUN_PACKAGES $BUILD_PACKAGES $SHOW_PACKAGES $TEST_PACKAGES || exit 1

passed=0
failed=0
skipped=0
out="$here/build/results"
mkdir -p "$out"

# step NAME COMMAND...: one check that is no ctest; its output is shown when it fails.
step()
{
    name=$1
    shift
    begun=$SECONDS
    if "$@" >"$out/$name.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name ($((SECONDS - begun)) s)"
    else
        failed=$((failed + 1))
        echo "FAILED  $name ($((SECONDS - begun)) s)"
        tail -n 60 "$out/$name.log"
    fi
}

# suite PRESET CTEST-ARGUMENTS...: run the tests of a build and add up what ctest counted.
suite()
{
    preset=$1
    shift
    begun=$SECONDS
    echo "        tests of build/$preset $*"
    rm -f "$out/$preset.xml"
    ctest --test-dir "build/$preset" --output-on-failure --output-junit "$out/$preset.xml" "$@" \
        >"$out/ctest-$preset.log" 2>&1
    counts=$(sed -n 's/.*<testsuite.*tests="\([0-9]*\)".*/\1/p;s/^[[:space:]]*tests="\([0-9]*\)".*/\1/p' "$out/$preset.xml" | head -n 1)
    bad=$(grep -c 'status="fail"' "$out/$preset.xml")
    not_run=$(grep -c 'status="notrun"' "$out/$preset.xml")
    off=$(grep -c 'status="disabled"' "$out/$preset.xml")
    if [ -z "$counts" ] || [ "$counts" = 0 ]; then
        failed=$((failed + 1))
        echo "FAILED  build/$preset ran no test"
        tail -n 20 "$out/ctest-$preset.log"
        return
    fi
    # A test whose program was not built is "not run" as well, but no skip: it says so differently.
    unbuilt=$(grep -c 'Unable to find executable' "$out/ctest-$preset.log")
    unbuilt=$((unbuilt < not_run ? unbuilt : not_run))
    bad=$((bad + unbuilt))
    not_run=$((not_run - unbuilt))
    passed=$((passed + counts - bad - not_run - off))
    failed=$((failed + bad))
    skipped=$((skipped + not_run + off))
    echo "        $((counts - bad - not_run - off)) passed, $bad failed, $((not_run + off)) skipped ($((SECONDS - begun)) s)"
    [ "$bad" = 0 ] || sed -n '/The following tests FAILED/,$p;/^not ok/p;/ERROR:/p;/^# /p;/SUMMARY/p' "$out/ctest-$preset.log" | tail -n 150
}

configure_and_build() # PRESET [TARGETS...]
{
    cmake --preset "$1" >/dev/null && cmake --build --preset "$1" ${2:+--target "${@:2}"}
}

format_is_right() { git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror; }

# clang-tidy over the sources of the product, on all cores; findings fail.
tidy_is_clean()
{
    git ls-files 'stix/*.c' 'feeds/*.c' 'gateway/*.c' |
        xargs -P "$(nproc)" -n 1 clang-tidy -p build/dev --quiet --warnings-as-errors='*'
}

# The unit tests under valgrind: uninitialised reads, which the sanitizers cannot see.
valgrind_is_clean()
{
    for test in build/dev/tests/unit/*/test_* build/dev/tests/unit/*/*/test_*; do
        [ -x "$test" ] && [ -f "$test" ] || continue
        case "$test" in *corpus* | *trust_* | *share_* | *torture* | *threads* | *config_memory*) continue ;; esac # hours, argon2id, own malloc
        (cd "$here" && timeout 1200 valgrind -q --error-exitcode=9 --leak-check=full "$test") || {
            echo "valgrind: $test"
            return 1
        }
    done
}

# Every fuzz target for some seconds beyond its corpus. The normal run draws the same inputs each time,
# by its seed and as many at most, however fast the machine: its answer changes with the code and not
# by chance. A long one draws others.
fuzz_a_while() # SECONDS SEED RUNS
{
    [ -n "$(find build/fuzz/tests/fuzz -name 'fuzz_*' -type f -perm -u+x 2>/dev/null)" ] || return 1
    for target in build/fuzz/tests/fuzz/fuzz_*; do
        { [ -x "$target" ] && [ -f "$target" ]; } || continue
        work=$(mktemp -d /tmp/isg-fuzz.XXXXXX)
        name=$(basename "$target")
        timeout $(($1 + 240)) "$target" -max_total_time="$1" -seed="$2" -runs="$3" -rss_limit_mb=2048 -timeout=120 \
            "$work" "tests/fuzz/corpus/${name#fuzz_}" >"$out/$name.log" 2>&1 || {
            tail -n 30 "$out/$name.log"
            rm -rf "$work"
            return 1
        }
        rm -rf "$work"
    done
}

step build-asan configure_and_build asan
if [ "$quick" = yes ]; then
    suite asan -j 2
else
    step format format_is_right
    suite asan -L unit -j 2
    suite asan -L integration -j 2
    step build-dev configure_and_build dev
    suite dev -L memory -j 2
    step headers-alone cmake --build --preset dev --target all_verify_interface_header_sets
    step build-tsan configure_and_build tsan
    suite tsan -L threads -j 1
    step build-fuzz configure_and_build fuzz
    suite fuzz -L fuzz -j 2
    if [ "$long" = yes ]; then
        step fuzz-long fuzz_a_while 600 "$RANDOM" -1
    else
        step fuzz-a-while fuzz_a_while 5 1 20000
    fi
    step valgrind valgrind_is_clean
    step clang-tidy tidy_is_clean
    if [ "$long" = yes ]; then
        step build-release configure_and_build release
        export ISG_CRASH_ROUNDS=200 ISG_SOAK_SECONDS=900 ISG_ANSWERS=100000 ISG_RING_SECONDS=600
        suite release -L soak -j 1
    fi
fi

echo
if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ]
