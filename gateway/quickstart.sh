#!/bin/sh
# From nothing to a running gateway that has done its main job once.
#
#   gateway/quickstart.sh          leaves the service running until Ctrl-C
#   gateway/quickstart.sh --exit   stops it at the end
#   --dir DIR                      instance directory (default: a new one below /tmp)
#   --port N                       TAXII port on 127.0.0.1 (default 8443, or the next free one)
#
# On a fresh Debian 12, as root, nothing preinstalled: installs the packages that are missing,
# builds, makes an instance with its private Redis, starts it with TLS, imports sample feeds,
# pushes as a hospital, pulls as a manufacturer, exports and verifies a signed bundle.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/gateway/packages.sh"

stop_at_end=no
dir=""
port=8443
while [ $# -gt 0 ]; do
    case "$1 ${2+value}" in
    "--exit "*) stop_at_end=yes ;;
    "--dir value") dir=$2 && shift ;;
    "--port value") port=$2 && shift ;;
    *) echo "usage: $0 [--exit] [--dir DIR] [--port N]" >&2 && exit 64 ;;
    esac
    shift
done

say() { printf '%s\n' "$*" >&2; }

# shellcheck disable=SC2086
install_packages $RUN_PACKAGES $BUILD_PACKAGES $SHOW_PACKAGES

say "building ..."
build="$here/build/release"
mkdir -p "$build"
{
    cmake -S "$here" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DISG_TESTS=OFF &&
        cmake --build "$build" --target isg
} >"$build/quickstart.log" 2>&1 || {
    tail -n 40 "$build/quickstart.log" >&2
    exit 70
}
isg="$build/gateway/cli/isg"

port_is_taken() # curl's code 7: nobody listens; a listener that says nothing gives others
{
    code=0
    curl -s -o /dev/null --max-time 1 "telnet://127.0.0.1:$1" </dev/null || code=$?
    [ "$code" != 7 ]
}
while port_is_taken "$port"; do
    port=$((port + 1))
done
if [ -z "$dir" ]; then
    dir="$(mktemp -d /tmp/isg-quickstart.XXXXXX)/instance"
fi
work=$(mktemp -d /tmp/isg-quickstart-work.XXXXXX)
chmod 700 "$work"
service=""
finish()
{
    if [ -n "$service" ]; then
        kill -TERM "$service" 2>/dev/null || true
        wait "$service" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
"$isg" init "$dir" --listen "127.0.0.1:$port" --name "Example ISAO" >/dev/null
export ISG_DIR="$dir"

"$isg" serve -C "$dir" 2>"$work/log" &
service=$!
until "$isg" wait --timeout 1 2>/dev/null; do
    kill -0 "$service" 2>/dev/null || { cat "$work/log" >&2; exit 69; }
done

password() { head -c 18 /dev/urandom | base64 | tr '+/' '-_' | tee "$work/$1.pw" >/dev/null; }
umask 077
password st-mary
password pumpmaker
"$isg" member add st-mary --kind hospital --title "St Mary Hospital" --password-file "$work/st-mary.pw" >/dev/null
"$isg" member add pumpmaker --kind mdm --title "Pump Maker Inc" --password-file "$work/pumpmaker.pw" >/dev/null
"$isg" collection add --title observed --alias observed --handling relay \
    --description "What hospitals observed" --read all --write st-mary --json >"$work/observed.json"
observed=$(jq -r .id "$work/observed.json")

# ---- feeds: real ones where they are at hand, else our own samples -------------------------------
samples="$here/tests/fixtures/feeds"
corpus="${ISG_CORPUS:-$here/../shared/corpus}"
kev="$corpus/feeds/kev/kev-2025-08-25.json"
csaf="$corpus/medical/csaf-icsma"
[ -e "$kev" ] || kev="$samples/kev/three.json"
[ -e "$csaf" ] || csaf="$samples/csaf/full.json"
say "importing feeds ..."
"$isg" import --format kev --collection advisories --json "$kev" >"$work/kev.json"
"$isg" import --format csaf --collection advisories --json "$csaf" >"$work/csaf.json"

# ---- a hospital pushes what it observed -----------------------------------------------------------
url="https://127.0.0.1:$port"
media="application/taxii+json;version=2.1"
netrc() # netrc NAME: credentials for curl in a file, never in its arguments
{
    printf 'machine 127.0.0.1 login %s password %s\n' "$1" "$(cat "$work/$1.pw")" >"$work/$1.netrc"
}
netrc st-mary
netrc pumpmaker
as() # as NAME CURL-ARGUMENTS...
{
    member=$1
    shift
    curl -sS --fail-with-body --max-time 60 --cacert "$dir/tls/ca.pem" --netrc-file "$work/$member.netrc" \
        -H "Accept: $media" "$@"
}
now=$(date -u +%Y-%m-%dT%H:%M:%S.000Z)
indicator() # indicator NAME PATTERN
{
    jq -cn --arg id "indicator--$(cat /proc/sys/kernel/random/uuid)" --arg now "$now" --arg name "$1" \
        --arg pattern "$2" '{type:"indicator",spec_version:"2.1",id:$id,created:$now,modified:$now,
        name:$name,indicator_types:["malicious-activity"],pattern:$pattern,pattern_type:"stix",
        valid_from:$now,object_marking_refs:["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}'
}
{
    indicator "Beacon from an infusion pump gateway" "[ipv4-addr:value = '198.51.100.23']"
    indicator "Name looked up by a PACS server" "[domain-name:value = 'update.pacs-mirror.example']"
    indicator "Dropper on a CT console" "[file:hashes.'SHA-256' = '$(printf dropper | sha256sum | cut -c1-64)']"
} | jq -cs '{objects:.}' >"$work/envelope.json"
as st-mary -H "Content-Type: $media" --data-binary "@$work/envelope.json" \
    "$url/api/collections/$observed/objects/" >"$work/status.json"

# ---- a manufacturer pulls, page by page -----------------------------------------------------------
pull() # pull COLLECTION: counts objects and pages
{
    next="" objects=0 pages=0
    while :; do
        as pumpmaker -G --data-urlencode "limit=500" ${next:+--data-urlencode "next=$next"} \
            "$url/api/collections/$1/objects/" >"$work/page.json"
        objects=$((objects + $(jq '.objects // [] | length' "$work/page.json")))
        pages=$((pages + 1))
        [ "$(jq -r '.more // false' "$work/page.json")" = true ] || break
        next=$(jq -r .next "$work/page.json")
    done
    echo "$objects objects in $pages pages"
}
pulled_observed=$(pull "$observed")
pulled_advisories=$(pull advisories)

# ---- a signed bundle, checked by our own program and by standard ones -----------------------------
"$isg" export --collection observed --as pumpmaker --format stix -o "$work/feed.json" --json >"$work/export.json"
verdict=$("$isg" verify "$work/feed.json" --keys "$dir/public/isao.pem" | cut -d' ' -f1)
minisign=$(minisign -V -q -H -m "$work/feed.json" -p "$dir/public/isao.minisign.pub" >/dev/null 2>&1 && echo OK || echo FAILED)
(
    cd "$work"
    cut -d. -f1,2 feed.json.jws | tr -d '\n' >tbs
    cut -d. -f3 feed.json.jws | tr -d '\n' | tr '_-' '/+' | sed 's/$/==/' | base64 -d >sig 2>/dev/null
)
openssl=$(openssl pkeyutl -verify -pubin -inkey "$dir/public/isao.pem" -rawin -in "$work/tbs" \
    -sigfile "$work/sig" >/dev/null 2>&1 && echo OK || echo FAILED)

counts() { jq -r '"\(.total) objects: \(.added) added, \(.same) the same, \(.refused) refused"' "$1"; }
row() { printf '  %-34s %s\n' "$1" "$2"; }
echo
row "step" "what happened"
row "----" "-------------"
row "import CISA KEV" "$(counts "$work/kev.json")"
row "import medical advisories (CSAF)" "$(counts "$work/csaf.json")"
row "push as hospital st-mary" "$(jq -r '"\(.success_count) of \(.total_count) accepted"' "$work/status.json")"
row "pull as manufacturer: observed" "$pulled_observed"
row "pull as manufacturer: advisories" "$pulled_advisories"
row "export, signed" "$(jq -r '"\(.objects) objects, TLP:\(.tlp)"' "$work/export.json")"
row "isg verify" "$verdict"
row "minisign -V -H" "$minisign"
row "openssl pkeyutl -verify" "$openssl"
echo
row "discovery" "$url/taxii2/"
row "collection for hospitals" "$url/api/collections/$observed/"
row "CA file" "$dir/tls/ca.pem"
row "hospital" "st-mary / $(cat "$work/st-mary.pw")"
row "manufacturer" "pumpmaker / $(cat "$work/pumpmaker.pw")"
row "instance" "$dir"
echo

failed=0
[ "$verdict" = OK ] && [ "$minisign" = OK ] && [ "$openssl" = OK ] || failed=1
[ "$(jq .failure_count "$work/status.json")" = 0 ] || failed=1
if [ "$failed" != 0 ]; then
    say "something above did not go as it should; the log:"
    tail -n 20 "$work/log" >&2
    exit 1
fi
if [ "$stop_at_end" = no ]; then
    say "running; Ctrl-C stops it"
    wait "$service"
fi
