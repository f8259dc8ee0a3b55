#!/bin/bash
# consumer.sh BUILD CC FLAGS: installs libstix from a build into an empty place and lets a foreign
# project use it, by find_package and by pkg-config; then once more libstix alone, as a shared
# library. The project's main.c is the README's first example.
set -eu
build=$1
cc=$2
flags=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d /tmp/isg-consumer.XXXXXX)
trap 'rm -rf "$work"' EXIT

die() { echo "consumer: $*" >&2 && exit 1; }

cmake --install "$build" --component stix --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/moved" # nothing in it may name the place it was installed to

if grep -rl "Private to" "$work/moved/include"; then
    die "a private header was installed"
fi
for header in object scan json check types id version equal marking pattern match lift extensions bundle base/err base/str; do
    [ -f "$work/moved/include/stix/$header.h" ] || die "stix/$header.h was not installed"
done
if grep -rnE "isg_flags|-fsanitize|$work|$ISG_SOURCE" "$work"/moved/lib/cmake "$work"/moved/lib/pkgconfig; then
    die "the package names a flag or a path of its build"
fi

expected='ipv4-addr--12592121-be4c-5a93-a813-5a5af16e50db: {"id":"ipv4-addr--12592121-be4c-5a93-a813-5a5af16e50db","spec_version":"2.1","type":"ipv4-addr","value":"198.51.100.7"}'
project=$here/project
config=$(find "$work/moved" -name stix-config.cmake)
package=$(find "$work/moved" -name stix.pc)

cmake -S "$project" -B "$work/by-cmake" -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="$flags" \
    -Dstix_DIR="$(dirname "$config")" >"$work/cmake.log" || die "find_package: $(cat "$work/cmake.log")"
cmake --build "$work/by-cmake" >"$work/build.log" || die "$(cat "$work/build.log")"
[ "$("$work/by-cmake/consumer")" = "$expected" ] || die "built by find_package it prints something else"

export PKG_CONFIG_PATH=${package%/*}
# shellcheck disable=SC2046,SC2086
"$cc" -std=c17 -Wall -Wextra -Werror $flags $(pkg-config --cflags stix) "$project/main.c" -o "$work/by-pkg-config" \
    $(pkg-config --static --libs stix) || die "pkg-config"
[ "$("$work/by-pkg-config")" = "$expected" ] || die "built by pkg-config it prints something else"

# Each public header compiles alone, in a program that has only the installed tree.
(cd "$work/moved/include" && find stix -name '*.h') | while read -r header; do
    echo "#include <$header>" | "$cc" -std=c17 -Wall -Wextra -Werror -fsyntax-only \
        $(pkg-config --cflags stix) -x c - || die "$header"
done

# Alone and shared: configured without the gateway's libraries, linked without naming its own.
cmake -S "$ISG_SOURCE" -B "$work/alone" -DCMAKE_C_COMPILER="$cc" -DISG_ONLY_STIX=ON \
    -DBUILD_SHARED_LIBS=ON >"$work/alone.log" || die "alone: $(cat "$work/alone.log")"
if grep -qiE '^(HIREDIS|CURL|MICROHTTPD|SODIUM|CYAML)_' "$work/alone/CMakeCache.txt"; then
    die "libstix alone looks for libraries of the gateway"
fi
cmake --build "$work/alone" -j 2 >"$work/alone.log" 2>&1 || die "alone: $(cat "$work/alone.log")"
cmake --install "$work/alone" --component stix --prefix "$work/shared" >"$work/install.log"
shared=$(find "$work/shared" -name libstix.so)
config=$(find "$work/shared" -name stix-config.cmake)
cmake -S "$project" -B "$work/by-shared" -DCMAKE_C_COMPILER="$cc" \
    -Dstix_DIR="$(dirname "$config")" >"$work/cmake.log" || die "find_package: $(cat "$work/cmake.log")"
cmake --build "$work/by-shared" >"$work/build.log" || die "$(cat "$work/build.log")"
[ "$("$work/by-shared/consumer")" = "$expected" ] || die "with the shared library it prints something else"
export PKG_CONFIG_PATH=${shared%/*}/pkgconfig
# shellcheck disable=SC2046
"$cc" -std=c17 $(pkg-config --cflags stix) "$project/main.c" -o "$work/by-shared-pc" $(pkg-config --libs stix) ||
    die "pkg-config, shared"
[ "$(LD_LIBRARY_PATH=${shared%/*} "$work/by-shared-pc")" = "$expected" ] || die "pkg-config, shared: prints something else"

sed -n '/^```c$/,/^```$/{p;/^```$/q}' "$ISG_SOURCE/stix/README.md" | sed '/^```/d' >"$work/readme.c"
cmp -s "$work/readme.c" "$project/main.c" || die "the example in stix/README.md is not $project/main.c"
echo "libstix $(pkg-config --modversion stix): installed, moved, found by CMake and by pkg-config, static and shared"
