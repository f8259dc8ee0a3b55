#!/bin/sh
# Makes the instance at the first start, then becomes the command.
#
#   ISG_PUBLIC_URL   https://host[:port] under which members reach this gateway
#   ISG_NAME         name of the organisation
set -eu
dir="${ISG_DIR:-/var/lib/isg}"
if [ "${1:-serve}" = serve ] && [ ! -e "$dir/isg.yaml" ]; then
    url="${ISG_PUBLIC_URL:-https://localhost:8443}"
    isg init "$dir" --listen 0.0.0.0:8443 --name "${ISG_NAME:-ISAO Gateway}" --public-url "$url"
    # The settings of the image: where Redis is, where its password lies. Address, name and the
    # namespace of ids stay those of this instance.
    sed -n '/^# settings of the image/,$p' /usr/share/isg/isg.yaml >>"$dir/isg.yaml"
fi
exec isg "$@"
