"""Writes an OCI layout with four images for the pull bench: layout.py FOLDER TREE.

one: the tree in one gzip layer; eight: the same in eight; zstd: one zstd layer; small: 75,000 small
files in one gzip layer.
"""
import gzip, hashlib, io, json, os, stat, subprocess, sys, tarfile

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
            if stat.S_ISSOCK(os.lstat(os.path.join(tree, path)).st_mode):
                continue
            tar.add(os.path.join(tree, path), arcname=path, recursive=False)
    return out.getvalue()


def sources():
    """Program text from the tree, so that the small files compress like real ones."""
    text = bytearray()
    for at, folders, files in os.walk(tree):
        folders.sort()
        for name in sorted(files):
            if name.endswith((".py", ".pm", ".h", ".sh")) and len(text) < 64 << 20:
                with open(os.path.join(at, name), "rb") as file:
                    text += file.read()
    return bytes(text) or b"module.exports = 1;\n" * 4096


def small_files(count):
    """As `node_modules` is: about 5.4 KiB a file, a few hundred bytes to 11 KiB, 25 a folder."""
    text, out = sources(), io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for at in range(count):
            if at % 25 == 0:
                info = tarfile.TarInfo(f"modules/{at // 25}")
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            size = 300 + at * 7919 % 10_400
            start = at * 5003 % max(1, len(text) - size)
            data = b"// %d\n" % at + text[start : start + size]
            info = tarfile.TarInfo(f"modules/{at // 25}/index{at}.js")
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
