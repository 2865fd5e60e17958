# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # T_DIR is lib.sh's; CLIENT is the test's
#
# programs.sh - real servers behind a director, for steer_programs.sh and steer_changes.sh
#
# memcached at 11211 (TCP and UDP), nginx at 8080, Redis at 6379 on each backend, of both families.
# Source director.sh first.

CLIENT=$TOP/selftests/programs.py

address() { if [ "$FAMILY" = v4 ]; then echo "10.2.$1.2"; else echo "fd02:$1::2"; fi; }
vip_address() { if [ "$FAMILY" = v4 ]; then echo 192.0.2.1; else echo 2001:db8::1; fi; }

nginx_config()
{
	cat <<-END
	daemon off;
	master_process off;
	pid $T_DIR/nginx$1.pid;
	error_log stderr;
	events { worker_connections 256; }
	http {
		access_log off;
		client_body_temp_path $T_DIR/nginx$1.tmp;
		proxy_temp_path $T_DIR/nginx$1.tmp;
		fastcgi_temp_path $T_DIR/nginx$1.tmp;
		uwsgi_temp_path $T_DIR/nginx$1.tmp;
		scgi_temp_path $T_DIR/nginx$1.tmp;
	END
	for FAMILY in v4 v6; do
		cat <<-END
		server {
			listen $(be "$1" 8080);
			root $T_DIR/www;
			location = /who { return 200 "$(be "$1" 8080)\n"; }
		}
		END
	done
	echo "}"
}

# servers_up N: on the first N backends
servers_up()
{
	local i a FAMILY

	mkdir "$T_DIR/www"
	head -c 1048576 /dev/urandom >"$T_DIR/www/large"
	chmod -R a+rX "$T_DIR"
	for ((i = 1; i <= $1; i++)); do
		start_on "b$i" "memcached$i" memcached -u nobody -m 16 -t 1 -U 11211 -p 11211 \
			-l "$(FAMILY=v4 address "$i"),$(FAMILY=v6 address "$i")"
		nginx_config "$i" >"$T_DIR/nginx$i.conf"
		start_on "b$i" "nginx$i" nginx -c "$T_DIR/nginx$i.conf"
		start_on "b$i" "redis$i" redis-server --port 6379 --save "" --protected-mode no \
			--bind "$(FAMILY=v4 address "$i")" "$(FAMILY=v6 address "$i")" \
			--dir "$T_DIR"
	done
	for ((i = 1; i <= $1; i++)); do
		for FAMILY in v4 v6; do
			for a in 11211 8080 6379; do
				wait_until 30 on "b$i" bash -c \
					"exec 3<>/dev/tcp/$(address "$i")/$a" ||
					bail "no server on b$i port $a ($FAMILY)" \
						"$(cat "$T_DIR"/*"$i.log")"
			done
		done
	done
}
