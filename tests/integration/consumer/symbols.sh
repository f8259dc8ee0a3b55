#!/bin/bash
# symbols.sh NM LIBRARY: every external symbol begins with stix_ or isg_, and nothing outside a
# function is writable but the one word that names.c documents.
set -eu
foreign=$("$1" --extern-only --defined-only --format=posix "$2" |
    awk 'NF >= 2 && $1 !~ /^(stix_|isg_)/ && $1 !~ /^__?(gcov|llvm|asan|odr_asan|tsan|sancov|start|stop)/ { print $1 }')
[ -z "$foreign" ] || { echo "symbols without prefix:" $foreign && exit 1; }

# b and B are zeroed data, d and D initialised; tables of pointers live in .data.rel.ro.
state=$("$1" --format=sysv "$2" | awk -F'|' '$7 ~ /\.(data|bss)/ && $7 !~ /\.data\.rel\.ro/ && $4 ~ /OBJECT/ {
    gsub(/ /, "", $1); print $1 }' | grep -vE '^(seed\.[0-9]+|_*(asan|odr_asan|gcov|llvm|sancov|ubsan)|\.?L)' || true)
[ -z "$state" ] || { echo "writable data:" $state && exit 1; }
echo "$("$1" --extern-only --defined-only --format=posix "$2" | grep -cE '^(stix|isg)_') symbols, all with prefix"
