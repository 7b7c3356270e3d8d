#!/bin/sh
# As the public image has it: options alone are for redis-server, which does not run as root.
set -eu
case ${1:-} in
    -* | *.conf) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
    find . \! -user redis -exec chown redis {} +
    exec su -s /bin/sh -- redis -c 'exec "$0" "$@"' "$@"
fi
exec "$@"
