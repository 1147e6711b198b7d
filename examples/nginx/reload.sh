#!/bin/sh
# Start NGINX, and have it read its configuration again whenever the mounted Secret changes.
set -eu
nginx -c "${NGINX_CONF:-/etc/nginx/nginx.conf}" -g 'daemon off;' &
nginx=$!
trap 'kill "$nginx"' TERM INT
file=${HEADERS_FILE:-/var/run/cdp/headers.conf}
seen=$(cksum < "$file")
while kill -0 "$nginx" 2>/dev/null; do
  now=$(cksum < "$file")
  if [ "$now" != "$seen" ]; then
    kill -HUP "$nginx"
    seen=$now
  fi
  sleep 1
done
