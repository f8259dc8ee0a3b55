# Sourced by the scripts: the Debian 12 packages of each purpose, and one function that installs
# what is missing.

RUN_PACKAGES="redis-server ca-certificates libjson-c5 libsodium23 libhiredis0.14 libmicrohttpd12
    libcurl3-gnutls libgnutls30 libnettle8 libcyaml1 libyaml-0-2 libpcre2-8-0 libunistring2 libidn2-0 libuuid1 zlib1g"
BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config libjson-c-dev libsodium-dev
    libhiredis-dev libmicrohttpd-dev libcurl4-gnutls-dev libgnutls28-dev nettle-dev libcyaml-dev libyaml-dev
    libpcre2-dev libunistring-dev libidn2-dev uuid-dev zlib1g-dev"
SHOW_PACKAGES="curl jq minisign openssl"
TEST_PACKAGES="git python3 procps clang clang-format clang-tidy libclang-rt-14-dev valgrind
    xz-utils socat gnutls-bin sslscan haproxy bind9-utils"

# install_packages NAME...: apt-get for those that are not installed; nothing when all are.
install_packages()
{
    missing=""
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "these packages are missing; install them as root: $missing" >&2
        return 1
    fi
    echo "installing:$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2 || true
    # Debian's package starts a redis-server of its own, which nobody here uses.
    # shellcheck disable=SC2086
    RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >&2
}
