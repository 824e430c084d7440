"""Writes an OCI layout with one image of several small layers: layers.py FOLDER TREE COUNT.

The first layer is the tree, each further one adds a file: what a start pays for is the number of
lower directories, not their content.
"""
import gzip, hashlib, io, json, os, sys, tarfile

folder, tree, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
blobs = os.path.join(folder, "blobs", "sha256")
os.makedirs(blobs, exist_ok=True)


def put(data):
    name = hashlib.sha256(data).hexdigest()
    with open(os.path.join(blobs, name), "wb") as file:
        file.write(data)
    return {"digest": "sha256:" + name, "size": len(data)}


def owned_by_root(entry):
    entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, "", ""
    return entry


def layer(number):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        if number == 0:
            for name in sorted(os.listdir(tree)):
                tar.add(os.path.join(tree, name), arcname=name, filter=owned_by_root)
        else:
            data = f"layer {number}\n".encode()
            entry = tarfile.TarInfo(f"layer{number}")
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    data = out.getvalue()
    blob = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **put(gzip.compress(data, 6, mtime=0))}
    return "sha256:" + hashlib.sha256(data).hexdigest(), blob


layers = [layer(number) for number in range(count)]
arch = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
config = {"architecture": arch, "os": "linux", "config": {"Cmd": ["/t"], "Env": ["PATH=/usr/bin:/bin"]},
          "rootfs": {"type": "layers", "diff_ids": [diff for diff, _ in layers]}}
manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **put(json.dumps(config).encode())},
            "layers": [blob for _, blob in layers]}
image = {"mediaType": manifest["mediaType"], **put(json.dumps(manifest).encode()), "annotations": {"org.opencontainers.image.ref.name": "layers"}}
with open(os.path.join(folder, "oci-layout"), "w") as file:
    file.write('{"imageLayoutVersion":"1.0.0"}')
with open(os.path.join(folder, "index.json"), "w") as file:
    json.dump({"schemaVersion": 2, "manifests": [image]}, file)
