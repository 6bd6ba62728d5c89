# image.py OUT LAYER_DIR VERSION: the images of the stand-in as `docker save` writes them, one layer for all. The same bytes for the same files.
import hashlib, io, json, os, sys, tarfile, gzip

out, root, version = sys.argv[1:4]

def member(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))

layer = out + '.layer'
with tarfile.open(layer, 'w', format=tarfile.PAX_FORMAT) as tar:
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            info = tar.gettarinfo(path, os.path.relpath(path, root))
            info.mtime, info.uid, info.gid, info.uname, info.gname = 0, 0, 0, '', ''
            tar.addfile(info, open(path, 'rb') if info.isreg() else None)
with open(layer, 'rb') as file:
    diff = hashlib.file_digest(file, 'sha256').hexdigest()

NODE = ['/usr/bin/node']
IMAGES = {
    'goharbor/prepare': {'Entrypoint': NODE + ['/harbor/harbor-installer/prepare.ts'], 'Env': ['HARBOR_VERSION=' + version]},
    'goharbor/harbor-core': {'Entrypoint': NODE + ['/harbor/harbor-installer/core.ts']},
    'goharbor/registry-photon': {'Entrypoint': ['/usr/bin/registry', 'serve', '/etc/registry/config.yml']},
}
with gzip.GzipFile(out, 'wb', compresslevel=1, mtime=0) as zipped, tarfile.open(fileobj=zipped, mode='w') as tar:
    info = tarfile.TarInfo('layer.tar')
    info.size = os.path.getsize(layer)
    with open(layer, 'rb') as file:
        tar.addfile(info, file)
    index = []
    for name, config in IMAGES.items():
        text = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': config, 'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + diff]}}).encode()
        file = hashlib.sha256(text).hexdigest() + '.json'
        member(tar, file, text)
        index.append({'Config': file, 'RepoTags': [name + ':' + version], 'Layers': ['layer.tar']})
    member(tar, 'manifest.json', json.dumps(index).encode())
os.remove(layer)
