#!/bin/sh
# Makes the instance at the first start, then becomes the command.
#
#   ISG_PUBLIC_URL   https://host[:port] under which members reach this gateway
#   ISG_NAME         name of the organisation
#
# A first start that was cut short is begun anew: the mark it leaves says that nobody has used what
# lies there yet.
set -eu
dir="${ISG_DIR:-/var/lib/isg}"
settings="${ISG_IMAGE_SETTINGS:-/usr/share/isg/isg.yaml}"
mark="$dir/.first-start"
if [ "${1:-serve}" = serve ]; then
    if [ ! -e "$dir/isg.yaml" ]; then
        if [ -e "$mark" ]; then
            rm -f "$dir/keys/content.key"
        fi
        : >"$mark"
        isg init "$dir" --listen 0.0.0.0:8443 --name "${ISG_NAME:-ISAO Gateway}" \
            --public-url "${ISG_PUBLIC_URL:-https://localhost:8443}"
    fi
    if [ -e "$mark" ]; then
        # The settings of the image: where Redis is, where its password lies. Address, name and the
        # namespace of ids stay those of this instance.
        {
            sed '/^# settings of the image/,$d' "$dir/isg.yaml"
            sed -n '/^# settings of the image/,$p' "$settings"
        } >"$dir/isg.yaml.new"
        chmod 600 "$dir/isg.yaml.new"
        mv "$dir/isg.yaml.new" "$dir/isg.yaml"
        rm "$mark"
    fi
fi
exec isg "$@"
