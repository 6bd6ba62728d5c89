#!/usr/bin/env python3
"""images.py OUT SET: writes an OCI image layout of the lab's images from local files; no network, no docker.

SET is `control-plane` or `worker` (what a node needs before deliver comes; layers stored plain, as they only travel to
a node of the lab), `upstream` (what the connected side's registry serves; layers gzip'ed, as upstream ones are) or `bare`
(what it serves beside that: all that a site of bare hosts runs, of two versions of Kubernetes).
The environment names the parts: BASE (root filesystem), BIN (programs), and VERSION_*. Same parts, same digests."""
import glob, hashlib, io, json, os, stat, subprocess, sys, tarfile, zlib

out, kind = sys.argv[1:]
BASE, BIN, E = os.environ['BASE'], os.environ['BIN'], os.environ
BLOBS = os.path.join(out, 'blobs/sha256')
os.makedirs(BLOBS, exist_ok=True)
LIB = '/usr/lib/x86_64-linux-gnu'


class Blob:
    """Hashes what is written to it, before and after compression, and keeps it under its digest."""
    def __init__(self, gzip):
        self.plain, self.packed = hashlib.sha256(), hashlib.sha256()
        self.z = zlib.compressobj(1, zlib.DEFLATED, 31) if gzip else None
        self.tmp = os.path.join(BLOBS, 'tmp'); self.file = open(self.tmp, 'wb')
    def write(self, data):
        self.plain.update(data); self._out(self.z.compress(data) if self.z else data)
        return len(data)
    def _out(self, data):
        self.packed.update(data); self.file.write(data)
    def close(self):
        if self.z: self._out(self.z.flush())
        size = self.file.tell(); self.file.close()
        os.rename(self.tmp, os.path.join(BLOBS, self.packed.hexdigest()))
        return size


layers = {}
def layer(files={}, links={}, dirs=(), text={}, gzip=kind in ('upstream', 'bare')):
    key = json.dumps([files, links, sorted(dirs), text])
    if key in layers: return layers[key]
    blob, seen = Blob(gzip), set()
    tar = tarfile.open(fileobj=blob, mode='w|', format=tarfile.GNU_FORMAT, bufsize=1 << 20)
    def entry(name, **k):
        info = tarfile.TarInfo(name.strip('/'))
        for a, v in k.items(): setattr(info, a, v)
        return info
    def folder(d, mode=0o755):
        d = d.strip('/')
        if d and d not in seen:
            folder(os.path.dirname(d)); seen.add(d); tar.addfile(entry(d, type=tarfile.DIRTYPE, mode=mode))
    for d in sorted(dirs): folder(d, 0o1777 if d == 'tmp' else 0o755)
    for to, source in sorted(files.items()):
        folder(os.path.dirname(to)); st = os.stat(source)
        with open(source, 'rb') as f: tar.addfile(entry(to, size=st.st_size, mode=stat.S_IMODE(st.st_mode) & 0o755 | 0o444), f)
    for to, content in sorted(text.items()):
        folder(os.path.dirname(to)); data = content.encode(); tar.addfile(entry(to, size=len(data), mode=0o644), io.BytesIO(data))
    for to, target in sorted(links.items()):
        folder(os.path.dirname(to)); tar.addfile(entry(to, type=tarfile.SYMTYPE, linkname=target, mode=0o777))
    tar.close(); size = blob.close()
    mt = 'application/vnd.oci.image.layer.v1.tar' + ('+gzip' if gzip else '')
    layers[key] = {'mediaType': mt, 'digest': 'sha256:' + blob.packed.hexdigest(), 'size': size}, 'sha256:' + blob.plain.hexdigest()
    return layers[key]


def put(value, mt):
    data = json.dumps(value, separators=(',', ':')).encode(); digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(BLOBS, digest), 'wb') as f: f.write(data)
    return {'mediaType': mt, 'digest': 'sha256:' + digest, 'size': len(data)}


DATE = '2024-01-01T00:00:00Z'
def image(parts, arch='amd64', **config):
    """One image manifest; config keys as in the image spec (Entrypoint, Cmd, User ...)."""
    config.setdefault('Env', ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'])
    done = [layer(**p) for p in parts]
    c = put({'architecture': arch, 'os': 'linux', **({'variant': 'v8'} if arch == 'arm64' else {}), 'created': DATE, 'config': config,
             'rootfs': {'type': 'layers', 'diff_ids': [d for _, d in done]},
             'history': [{'created': DATE, 'created_by': 'lab'} for _ in done]}, 'application/vnd.oci.image.config.v1+json')
    mt = 'application/vnd.oci.image.manifest.v1+json'
    return put({'schemaVersion': 2, 'mediaType': mt, 'config': c, 'layers': [l for l, _ in done]}, mt)


def platforms(parts, archs, **config):
    mt = 'application/vnd.oci.image.index.v1+json'
    return put({'schemaVersion': 2, 'mediaType': mt, 'manifests': [
        {**image(parts, arch, **config), 'platform': {'architecture': arch, 'os': 'linux', **({'variant': 'v8'} if arch == 'arm64' else {})}}
        for arch in archs]}, mt)


# --- files out of the base root filesystem, with the libraries they load
def inroot(path): return BASE + subprocess.check_output(['chroot', BASE, 'readlink', '-f', path], text=True).strip()
def programs(*paths):
    files = {}
    for p in paths:
        files[p] = inroot(p)
        for line in subprocess.run(['chroot', BASE, 'ldd', p], capture_output=True, text=True).stdout.splitlines():
            for w in line.split():
                if w.startswith('/'): files[w] = inroot(w)
    return files

passwd = {'dirs': ['tmp', 'etc'], 'text': {'/etc/passwd': 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n'}}
applets = subprocess.check_output(['chroot', BASE, 'busybox', '--list'], text=True).split()
shell = {  # busybox and curl (Debian's busybox wget crashes with -T), with name resolution
    'files': {'/bin/busybox': inroot('/bin/busybox'), **programs('/bin/busybox', '/usr/bin/curl'),
              **{f'{LIB}/{n}.so.2': inroot(f'{LIB}/{n}.so.2') for n in ('libnss_dns', 'libnss_files', 'libresolv')}},
    'links': {'/bin/' + a: 'busybox' for a in applets if a != 'busybox'}, 'dirs': ['tmp', 'etc', 'root', 'var/run'],
    'text': {'/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n', '/etc/group': 'root:x:0:\n',
             '/etc/nsswitch.conf': 'hosts: files dns\n'}}


def program(name): return {'files': {'/usr/local/bin/' + name: f'{BIN}/{name}'}}

def kube_proxy_tools():
    plugins = [p[len(BASE):] for p in glob.glob(f'{BASE}{LIB}/xtables/*.so')]
    # the plugins' own libraries too: without libm (for libxt_statistic) iptables-restore fails for every Service with
    # more than one endpoint, and kube-proxy stays "Running" with empty tables
    files = programs('/usr/sbin/xtables-nft-multi', '/usr/sbin/nft', '/usr/sbin/conntrack', '/usr/bin/ip', *plugins)
    return {'files': files, 'links': {f'/usr/sbin/{v}tables{nft}{verb}': 'xtables-nft-multi' for v in ('ip', 'ip6')
            for nft in ('', '-nft') for verb in ('', '-save', '-restore')}, **{k: passwd[k] for k in ('text',)}, 'dirs': ['tmp', 'run', 'etc', 'var/run']}


def system(control_plane):
    k = E['VERSION_KUBERNETES']
    yield f'registry.k8s.io/pause:{E["VERSION_PAUSE"]}', image([{'files': {'/pause': BIN + '/pause'}}], Entrypoint=['/pause'], User='65535:65535')
    yield f'registry.k8s.io/kube-proxy:{k}', image([kube_proxy_tools(), program('kube-proxy')])
    yield f'registry.k8s.io/coredns/coredns:{E["VERSION_COREDNS"]}', image([passwd, {'files': {'/coredns': BIN + '/coredns'}}], Entrypoint=['/coredns'], User='0')
    yield f'docker.io/library/traefik:{E["VERSION_TRAEFIK"]}', image([passwd, program('traefik')], Entrypoint=['/usr/local/bin/traefik'])
    if control_plane:
        for n in ('kube-apiserver', 'kube-controller-manager', 'kube-scheduler'): yield f'registry.k8s.io/{n}:{k}', image([passwd, program(n)])
        yield f'registry.k8s.io/etcd:{E["VERSION_ETCD"][1:]}-0', image([passwd, program('etcd')])


def upstream():
    # v361 and v362 differ in their last layer alone: what they share must travel once
    conf = {'text': {'/etc/gatekeeper/defaults.conf': 'ports 8000 8080\n'}, 'dirs': ['home/user']}
    for v in ('v361', 'v362'):
        yield f'dockerhub.kubekey.local/project/gatekeeper:{v}', image([shell, conf, {'files': {'/usr/local/bin/gatekeeper': f'{BIN}/gatekeeper-{v}'}}],
            Entrypoint=['/usr/local/bin/gatekeeper'], ExposedPorts={'8000/tcp': {}, '8080/tcp': {}})
    yield 'docker.io/library/busybox:1.36', platforms([shell], ['amd64', 'arm64'], Cmd=['sh'])


def bare():
    """Programs of a version lie in BIN/<version>, the others in BIN."""
    yield f'registry.k8s.io/pause:{E["VERSION_PAUSE"]}', image([{'files': {'/pause': BIN + '/pause'}}], Entrypoint=['/pause'], User='65535:65535')
    yield 'registry.k8s.io/pause:3.10', image([{'files': {'/pause': BIN + '/pause'}}], Entrypoint=['/pause'], User='65535:65535')
    own = lambda folder, name: {'files': {'/usr/local/bin/' + name: f'{BIN}/{folder}/{name}'}}
    for k in (E['VERSION_KUBERNETES'], E['VERSION_KUBERNETES_PREVIOUS']):
        for n in ('kube-apiserver', 'kube-controller-manager', 'kube-scheduler'): yield f'registry.k8s.io/{n}:{k}', image([passwd, own(k, n)])
        yield f'registry.k8s.io/kube-proxy:{k}', image([kube_proxy_tools(), own(k, 'kube-proxy')])
    for v in (E['VERSION_ETCD'], E['VERSION_ETCD_PREVIOUS']):
        yield f'registry.k8s.io/etcd:{v[1:]}-0', image([passwd, own('etcd-' + v, 'etcd'), {'files': {'/usr/local/bin/etcdctl': f'{BIN}/etcdctl'}}])
    for v in (E['VERSION_COREDNS'], E['VERSION_COREDNS_PREVIOUS']):
        yield f'registry.k8s.io/coredns/coredns:{v}', image([passwd, {'files': {'/coredns': f'{BIN}/coredns-{v}/coredns'}}], Entrypoint=['/coredns'], User='0')
    yield f'docker.io/library/traefik:{E["VERSION_TRAEFIK"]}', image([passwd, program('traefik')], Entrypoint=['/usr/local/bin/traefik'])
    yield f'docker.io/flannel/flannel:{E["VERSION_FLANNEL"]}', image([shell, kube_proxy_tools(), {'files': {'/opt/bin/flanneld': f'{BIN}/flannel'}}],
        Entrypoint=['/opt/bin/flanneld'])
    yield f'docker.io/flannel/flannel-cni-plugin:{E["VERSION_FLANNEL_CNI"]}', image([shell, {'files': {'/flannel': f'{BIN}/flannel-cni'}}])
    yield f'docker.io/rancher/local-path-provisioner:{E["VERSION_LOCAL_PATH"]}', image([passwd, {'files': {'/usr/bin/local-path-provisioner':
        f'{BIN}/local-path-provisioner'}}], Entrypoint=['/usr/bin/local-path-provisioner'])
    yield f'docker.io/library/haproxy:{E["VERSION_HAPROXY"]}', image([passwd, {'files': programs('/usr/sbin/haproxy')}], Entrypoint=['/usr/sbin/haproxy'])


SETS = {'upstream': upstream, 'bare': bare, 'worker': lambda: system(False), 'control-plane': lambda: system(True)}
manifests = [{**d, 'annotations': {'io.containerd.image.name': ref, 'org.opencontainers.image.ref.name': ref}}
             for ref, d in SETS[kind]()]
with open(os.path.join(out, 'index.json'), 'w') as f:
    json.dump({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json', 'manifests': manifests}, f)
with open(os.path.join(out, 'oci-layout'), 'w') as f: f.write('{"imageLayoutVersion":"1.0.0"}')
