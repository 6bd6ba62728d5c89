# What stands on reg1 before deliver comes: a private CA, a registry that stores the bytes (loopback only, plain HTTP)
# and in front of it the Harbor stand-in on 443; and the Redis on ext1. Sourced. All of it is in place before boot.
make_pki() {
  local p=$S/pki; mkdir -p -m 700 "$p"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout "$p/ca.key" -out "$SITE/ca.crt" \
    -subj "/CN=lab private CA" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$p/harbor.key" -out "$p/harbor.csr" -subj "/CN=$HARBOR" 2>/dev/null
  printf 'subjectAltName=DNS:%s,IP:%s\nextendedKeyUsage=serverAuth\n' "$HARBOR" "${IP[reg1]}" >"$p/ext"
  openssl x509 -req -in "$p/harbor.csr" -CA "$SITE/ca.crt" -CAkey "$p/ca.key" -CAcreateserial -days 825 -extfile "$p/ext" \
    -out "$p/harbor.crt" 2>/dev/null
  printf 'Lab%s9x' "$(openssl rand -hex 8)" >"$SITE/admin-password"; chmod 600 "$SITE/admin-password"
}
prepare_registry() { # into reg1's root filesystem
  local r=$S/hosts/reg1/root uid
  uid=$(chroot "$BASE" id -u docker-registry)
  chown "$uid" "$S/hosts/reg1/state/registry"; rm -rf "$S/hosts/reg1/state/registry/lost+found"
  mkdir -p "$r"/etc/docker/registry "$r"/etc/harbor-front "$r"/var/lib/harbor-front "$r"/var/log/harbor-front "$r"/opt/deliver-lab
  cat >"$r/etc/docker/registry/config.yml" <<'C'
version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: /var/lib/docker-registry}
  delete: {enabled: true}
http: {addr: "127.0.0.1:5001"}
C
  cp "$S/pki/harbor.crt" "$S/pki/harbor.key" "$r/etc/harbor-front/"; chmod 600 "$r/etc/harbor-front/harbor.key"
  echo '{"type":"module"}' >"$r/opt/deliver-lab/package.json"
  cat >"$r/etc/harbor-front/config.json" <<C
{ "listen": { "host": "0.0.0.0", "port": 443 },
  "tls": { "cert": "/etc/harbor-front/harbor.crt", "key": "/etc/harbor-front/harbor.key" },
  "externalUrl": "https://$HARBOR", "upstream": "http://127.0.0.1:5001",
  "stateFile": "/var/lib/harbor-front/state.json", "accessLog": "/var/log/harbor-front/access.log",
  "adminPassword": "$(cat "$SITE/admin-password")" }
C
  chmod 600 "$r/etc/harbor-front/config.json"
  cat >"$r/etc/systemd/system/harbor-front.service" <<'U'
[Unit]
Description=the lab's stand-in for Harbor's core
After=docker-registry.service
StartLimitIntervalSec=0
[Service]
ExecStart=/opt/deliver-lab/node_modules/node/bin/node /opt/deliver-lab/test/lab/harbor/main.ts --config /etc/harbor-front/config.json
Restart=always
RestartSec=1
U
  ln -sf ../harbor-front.service "$r/etc/systemd/system/multi-user.target.wants/harbor-front.service"
}
prepare_redis() { # into ext1's
  printf 'bind 0.0.0.0\nprotected-mode no\nsave ""\ndir /var/lib/redis\ndaemonize no\nsupervised systemd\n' >"$S/hosts/ext1/root/etc/redis/redis.conf"
}
harbor_answers() { run curl -fsS -m 5 --cacert "$SITE/ca.crt" --resolve "$HARBOR:443:${IP[reg1]}" "https://$HARBOR/api/v2.0/ping"; }
redis_answers() { printf 'PING\r\nQUIT\r\n' | run timeout 5 bash -c "exec 3<>/dev/tcp/${IP[ext1]}/6379; cat >&3; cat <&3" | grep -q PONG; }
