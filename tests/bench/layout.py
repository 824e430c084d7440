"""Writes an OCI layout with four images for the pull bench: layout.py FOLDER TREE.

one: the tree in one gzip layer; eight: the same in eight; zstd: one zstd layer; small: 75,000 small
files in one gzip layer.
"""
import gzip, hashlib, io, json, os, subprocess, sys, tarfile

folder, tree = sys.argv[1:]
blobs = os.path.join(folder, "blobs", "sha256")
os.makedirs(blobs)


def put(data):
    name = hashlib.sha256(data).hexdigest()
    with open(os.path.join(blobs, name), "wb") as file:
        file.write(data)
    return {"digest": "sha256:" + name, "size": len(data)}


def tar_of(paths):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in paths:
            tar.add(os.path.join(tree, path), arcname=path, recursive=False)
    return out.getvalue()


def small_files(count):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for at in range(count):
            data = (f"module.exports = {at};\n" * (1 + at % 400)).encode()
            if at % 50 == 0:
                info = tarfile.TarInfo(f"modules/{at // 50}")
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            info = tarfile.TarInfo(f"modules/{at // 50}/index{at}.js")
            info.size, info.mode, info.mtime = len(data), 0o644, 1_600_000_000
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def layer(data, kind):
    blob = gzip.compress(data, 6, mtime=0) if kind == "gzip" else subprocess.run(["zstd", "-q", "-3", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return "sha256:" + hashlib.sha256(data).hexdigest(), {"mediaType": f"application/vnd.oci.image.layer.v1.tar+{kind}", **put(blob)}


def image(tag, layers):
    arch = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    config = {"architecture": arch, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [d for d, _ in layers]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **put(json.dumps(config).encode())},
                "layers": [described for _, described in layers]}
    return {"mediaType": manifest["mediaType"], **put(json.dumps(manifest).encode()), "annotations": {"org.opencontainers.image.ref.name": tag}}


paths = []
for at, folders, files in os.walk(tree):
    folders.sort()
    for name in sorted(files) + folders:
        paths.append(os.path.relpath(os.path.join(at, name), tree))
paths.sort()
whole = tar_of(paths)
part = -(-len(paths) // 8)
images = [
    image("one", [layer(whole, "gzip")]),
    image("eight", [layer(tar_of(paths[n : n + part]), "gzip") for n in range(0, len(paths), part)]),
    image("zstd", [layer(whole, "zstd")]),
    image("small", [layer(small_files(75_000), "gzip")]),
]
with open(os.path.join(folder, "oci-layout"), "w") as file:
    file.write('{"imageLayoutVersion":"1.0.0"}')
with open(os.path.join(folder, "index.json"), "w") as file:
    json.dump({"schemaVersion": 2, "manifests": images}, file)
