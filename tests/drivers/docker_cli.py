"""A program that drives docker's command line, as wrappers and CI tools do, and believes nothing.

    docker_cli.py docker PROGRAM IMAGE WORKDIR
    docker_cli.py podman PROGRAM IMAGE WORKDIR

PROGRAM is ketch under that name, IMAGE holds `payload` (tests/payload), WORKDIR is empty. Every
output is parsed strictly: the type of each key, the layout of each table, each line of a stream.
Ends with 0 and one line that counts the checks, or with a traceback that names the first fault.
Standard library only.
"""

import datetime
import io
import json
import os
import re
import subprocess
import sys
import tarfile

HEX64 = re.compile(r"[0-9a-f]{64}")
SHORT = re.compile(r"[0-9a-f]{12}")
SIZE = re.compile(r"\d+(\.\d+)?(B|kB|MB|GB|TB)")
IEC = re.compile(r"\d+(\.\d+)?(B|KiB|MiB|GiB|TiB)")
PERCENT = re.compile(r"\d+(\.\d+)?%")
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} [A-Z]+")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
AGO = re.compile(r"(Less than a second|About (a|an) \w+|\d+ \w+)( ago)?")
WAIT = 50


class Fault(AssertionError):
    """An output that is not what the documentation says."""


checks = 0


def need(condition, *what):
    global checks
    checks += 1
    if not condition:
        raise Fault(*what)


def matches(pattern, text, where):
    need(isinstance(text, str) and re.fullmatch(pattern, text), where, text)


def shape(value, wanted, where):
    """Checks a JSON value: a type, a pattern for a string, a dict of keys, a list of one kind."""
    if isinstance(wanted, dict):
        need(isinstance(value, dict), where, value)
        for key, inner in wanted.items():
            need(key in value, f"{where}: no key {key}", sorted(value))
            shape(value[key], inner, f"{where}.{key}")
    elif isinstance(wanted, list):
        need(isinstance(value, list), where, value)
        for index, item in enumerate(value):
            shape(item, wanted[0], f"{where}[{index}]")
    elif isinstance(wanted, re.Pattern):
        matches(wanted, value, where)
    elif isinstance(wanted, tuple):
        need(type(value) in wanted, f"{where}: {type(value).__name__}", value)
    else:
        # bool is an int to isinstance.
        need(type(value) is wanted, f"{where}: {type(value).__name__}", value)


NONE = type(None)


def ndjson(text):
    """One JSON object a line, all values strings."""
    rows = [json.loads(line) for line in text.splitlines()]
    for row in rows:
        need(isinstance(row, dict), "a row is an object", row)
        for key, value in row.items():
            if key == "Platform":
                continue  # an object or null
            need(isinstance(value, str), f"{key} is a string", value)
    return rows


def table(text, columns):
    """Rows of a table whose header has exactly these columns, cut at the header's offsets."""
    lines = text.splitlines()
    need(lines, "a table has a header")
    header = lines[0]
    need(re.split(r" {2,}", header.strip()) == columns, "columns", header)
    starts = [header.index(name) for name in columns]
    for name, start in zip(columns, starts):
        need(start == 0 or header[start - 1] == " ", "column", name)
    ends = starts[1:] + [None]
    return [
        {name: line[a:b].strip() for name, a, b in zip(columns, starts, ends)} for line in lines[1:]
    ]


class Cli:
    """The command line as a library."""

    def __init__(self, program):
        self.program = program

    def raw(self, *args, data=b"", timeout=WAIT):
        return subprocess.run(
            [self.program, *args], input=data, capture_output=True, timeout=timeout, check=False
        )

    def __call__(self, *args, data=b"", code=0):
        done = self.raw(*args, data=data)
        need(done.returncode == code, args, f"exit {done.returncode}", done.stdout, done.stderr)
        return done.stdout.decode()

    def line(self, *args):
        text = self(*args)
        need(text.count("\n") == 1 and text.endswith("\n"), args, text)
        return text[:-1]

    def names(self, verb, flags, *names):
        """A verb that answers with the names it was given, in their order."""
        text = self(verb, *flags.split(), *names)
        need(text.splitlines() == list(names), verb, text)

    def fails(self, code, *args):
        """A refusal: its code, words on standard error, nothing else on standard output."""
        done = self.raw(*args)
        need(done.returncode == code, args, f"exit {done.returncode}", done.stderr)
        need(done.stderr.strip(), args, "a failure without a text")
        need(b"panicked" not in done.stderr, args, done.stderr)
        return done.stdout.decode(), done.stderr.decode()

    def started(self, *args):
        return subprocess.Popen(
            [self.program, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def ready(self, name, word=b"ready\n"):
        """Follows the log until the container has said so."""
        follow = self.started("logs", "-f", name)
        try:
            line = follow.stdout.readline()
            need(line == word, "first line of", name, line)
        finally:
            follow.kill()
            follow.communicate(timeout=WAIT)


CONTAINER = {
    "Id": HEX64,
    "Created": RFC3339,
    "Path": str,
    "Args": [str],
    "State": {
        "Status": str,
        "Running": bool,
        "Paused": bool,
        "Restarting": bool,
        "OOMKilled": bool,
        "Dead": bool,
        "Pid": int,
        "ExitCode": int,
        "Error": str,
        "StartedAt": RFC3339,
        "FinishedAt": RFC3339,
    },
    "Image": re.compile(r"sha256:[0-9a-f]{64}"),
    "ResolvConfPath": str,
    "HostnamePath": str,
    "HostsPath": str,
    "LogPath": str,
    "Name": re.compile(r"/[a-zA-Z0-9][a-zA-Z0-9_.-]+"),
    "RestartCount": int,
    "Driver": str,
    "Platform": str,
    "HostConfig": {
        "Binds": (list, NONE),
        "LogConfig": {"Type": str, "Config": dict},
        "NetworkMode": str,
        "RestartPolicy": {"Name": str, "MaximumRetryCount": int},
        "AutoRemove": bool,
        "Privileged": bool,
        "ReadonlyRootfs": bool,
        "Memory": int,
        "NanoCpus": int,
    },
    "Mounts": [{"Type": str, "Source": str, "Destination": str, "Mode": str, "RW": bool}],
    "Config": {
        "Hostname": str,
        "User": str,
        "AttachStdin": bool,
        "AttachStdout": bool,
        "AttachStderr": bool,
        "Tty": bool,
        "OpenStdin": bool,
        "StdinOnce": bool,
        "Env": [str],
        "Cmd": (list, NONE),
        "Image": str,
        "WorkingDir": str,
        "Entrypoint": (list, NONE),
        "Labels": {},
    },
    "NetworkSettings": {"Ports": dict, "Networks": dict},
}

IMAGE = {
    "Id": re.compile(r"sha256:[0-9a-f]{64}"),
    "RepoTags": [str],
    "RepoDigests": [str],
    "Created": RFC3339,
    "Author": str,
    "Config": {"Env": (list, NONE), "Cmd": (list, NONE), "Labels": (dict, NONE), "WorkingDir": str},
    "Architecture": str,
    "Os": str,
    "Size": int,
    "RootFS": {"Type": str, "Layers": [re.compile(r"sha256:[0-9a-f]{64}")]},
    "Metadata": {"LastTagTime": str},
}

EVENT = {
    "Type": str,
    "Action": str,
    "Actor": {"ID": str, "Attributes": dict},
    "scope": re.compile("local"),
    "time": int,
    "timeNano": int,
}

PS = {
    "Command": re.compile(r'".*"'),
    "CreatedAt": DATE,
    "ID": SHORT,
    "Image": str,
    "Labels": str,
    "LocalVolumes": re.compile(r"\d+"),
    "Mounts": str,
    "Names": str,
    "Networks": str,
    "Ports": str,
    "RunningFor": AGO,
    "Size": str,
    "State": re.compile("created|running|paused|restarting|exited|removing|dead"),
    "Status": str,
}

STATS = {
    "BlockIO": re.compile(f"{SIZE.pattern} / {SIZE.pattern}"),
    "CPUPerc": PERCENT,
    "Container": str,
    "ID": SHORT,
    "MemPerc": PERCENT,
    "MemUsage": re.compile(f"{IEC.pattern} / {IEC.pattern}"),
    "Name": str,
    "NetIO": re.compile(f"{SIZE.pattern} / {SIZE.pattern}"),
    "PIDs": re.compile(r"\d+"),
}


def about_the_machine(docker):
    version = json.loads(docker("version", "--format", "json"))
    side = {"Version": str, "Os": re.compile("linux"), "Arch": str}
    api = {"ApiVersion": re.compile(r"1\.\d+")}
    shape(version, {"Client": {**side, **api}, "Server": {**side, **api, "KernelVersion": str}}, "version")
    matches(r"1\.\d\d", docker.line("version", "--format", "{{.Server.APIVersion}}"), "API version")
    matches(r"\D+\d+\.\d+\.\d+.*", docker.line("-v"), "-v")
    info = json.loads(docker("info", "--format", "{{json .}}"))
    keys = {
        **{key: int for key in ["Containers", "ContainersRunning", "ContainersPaused"]},
        **{key: int for key in ["ContainersStopped", "Images", "NCPU", "MemTotal"]},
        **{key: str for key in ["ID", "Driver", "CgroupDriver", "KernelVersion", "OSType"]},
        **{key: bool for key in ["MemoryLimit", "PidsLimit", "CPUShares", "SwapLimit"]},
        "CgroupVersion": re.compile("[12]"),
        "SecurityOptions": [str],
        "Name": str,
    }
    shape(info, keys, "info")
    need(info["NCPU"] > 0 and info["MemTotal"] > 0, "a machine has both", info)
    text = docker("info")
    for heading in ["Client:", "Server:", " Containers: ", "  Running: ", " Kernel Version: "]:
        need(any(line.startswith(heading) for line in text.splitlines()), "info", heading)
    need(re.search(rf"^ Total Memory: {IEC.pattern}$", text, re.M), "info", text)


def images(docker, image):
    docker("pull", "-q", image)
    rows = ndjson(docker("images", "--format", "json"))
    keys = {
        "Containers": str,
        "CreatedAt": DATE,
        "CreatedSince": str,
        "Digest": str,
        "ID": SHORT,
        "Repository": str,
        "SharedSize": str,
        "Size": SIZE,
        "Tag": str,
        "UniqueSize": str,
    }
    shape(rows, [keys], "images")
    need([f"{row['Repository']}:{row['Tag']}" for row in rows] == [image], "its name", rows)
    columns = ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]
    lines = table(docker("images"), columns)
    need(lines[0]["IMAGE ID"] == rows[0]["ID"], "one id", lines)
    matches(r"sha256:[0-9a-f]{64}", docker.line("images", "-q", "--no-trunc"), "images -q --no-trunc")
    found = json.loads(docker("image", "inspect", image))
    shape(found, [IMAGE], "image inspect")
    need(image in found[0]["RepoTags"], "RepoTags", found)
    history = ndjson(docker("history", "--format", "json", image))
    keys = {"Comment": str, "CreatedAt": RFC3339, "CreatedBy": str, "CreatedSince": str, "ID": str, "Size": SIZE}
    shape(history, [keys], "history")
    table(docker("history", image), ["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"])
    docker("tag", image, "driver/copy:1")
    need(docker("rmi", "driver/copy:1").startswith("Untagged: driver/copy:1\n"), "rmi")
    usage = ndjson(docker("system", "df", "--format", "json"))
    need([row["Type"] for row in usage] == ["Images", "Containers", "Local Volumes", "Build Cache"], usage)
    for row in usage:
        shape(row, {"Active": re.compile(r"\d+"), "TotalCount": re.compile(r"\d+"), "Size": SIZE}, "df")


def created_and_started(docker, image, work):
    run = ["--network", "none", "--label", "driver=yes", "--label", "empty"]
    ident = docker.line("create", "--name", "made", *run, "-e", "A=b c", "-w", "/", image, "payload", "env")
    matches(HEX64, ident, "create's id")
    need(docker.line("ps", "-a", "--format", "{{.Status}}", "--filter", "name=made") == "Created", "Status")
    one = json.loads(docker("inspect", "made"))
    shape(one, [CONTAINER], "inspect")
    need(one[0]["Id"] == ident and one[0]["Name"] == "/made", "which", one[0]["Id"])
    need("A=b c" in one[0]["Config"]["Env"], "Env", one[0]["Config"]["Env"])
    labels = {"driver": "yes", "empty": "", "from": "image"}
    need(one[0]["Config"]["Labels"] == labels, one[0]["Config"]["Labels"])
    need(one[0]["State"]["Status"] == "created" and one[0]["State"]["Pid"] == 0, one[0]["State"])
    text = docker("start", "-a", "made")
    need("A=b c" in text.splitlines(), "start -a", text)
    need(docker.line("wait", "made") == "0", "wait")
    need(docker.line("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "made") == "exited 0", "state")
    need(docker("logs", "made") == text, "logs say what start -a said")

    cidfile = os.path.join(work, "cid")
    ident = docker.line("run", "-d", "--name", "live", "--cidfile", cidfile, *run, image, "payload", "ready-then-wait")
    matches(HEX64, ident, "run -d's id")
    need(open(cidfile).read() == ident, "cidfile")
    docker.ready("live")
    docker.fails(125, "run", "-d", "--name", "live", *run, image, "payload", "true")
    return ident


def lists(docker, image, ident):
    rows = ndjson(docker("ps", "-a", "--format", "json"))
    shape(rows, [PS], "ps")
    need([row["Names"] for row in rows] == ["live", "made"], "newest first", rows)
    labels = rows[0]["Labels"].split(",")
    need(sorted(labels) == ["driver=yes", "empty=", "from=image"], "Labels", rows[0])
    need(rows[0]["State"] == "running" and rows[0]["Status"].startswith("Up "), "running", rows[0])
    matches(r"Exited \(0\) .* ago", rows[1]["Status"], "ended")
    need(ndjson(docker("ps", "-a", "--format", "{{json .}}"))[0]["ID"] == ident[:12], "ps {{json .}}")
    columns = ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]
    lines = table(docker("container", "ls"), columns)
    need([line["NAMES"] for line in lines] == ["live"], "only running ones", lines)
    need(lines[0]["CONTAINER ID"] == ident[:12] and lines[0]["IMAGE"] == image, "cells", lines)
    custom = docker("ps", "-a", "--format", 'table {{.Names}}\\t{{.Label "driver"}}')
    need(custom.splitlines()[0].split() == ["NAMES", "DRIVER"] or "NAMES" in custom, custom)
    need(custom.splitlines()[1].split() == ["live", "yes"], custom)
    query = ["ps", "--all", "--quiet", "--no-trunc", "--filter"]
    need(docker(*query, "label=driver=yes", "--filter", "status=running") == f"{ident}\n", "filters")
    need(docker(*query, "label=none") == "", "a filter that nothing passes")
    environment = docker("inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", "live")
    need(any(line.startswith("PATH=") for line in environment.splitlines()), environment)
    out, _ = docker.fails(1, "inspect", "live", "nobody")
    need(len(json.loads(out)) == 1, "those that are there are shown", out)
    out, _ = docker.fails(1, "inspect", "nobody")
    need(json.loads(out) == [], "an empty list", out)
    docker.fails(1, "ps", "--filter", "no-such-filter=1")
    docker.fails(1, "ps", "--format", "{{.NoSuchField}}")


def inside(docker, work):
    need(docker("exec", "live", "payload", "echo", "a", "b") == "a b\n", "exec")
    need(docker("exec", "-i", "live", "payload", "cat", "/dev/stdin", data=b"in\n") == "in\n", "exec -i")
    need("K=v" in docker("exec", "-e", "K=v", "live", "payload", "env").splitlines(), "exec -e")
    need(docker.line("exec", "-w", "/tmp", "live", "payload", "pwd") == "/tmp", "exec -w")
    docker("exec", "live", "payload", "exit", "7", code=7)
    docker("exec", "live", "/no/such/program", code=127)
    docker.fails(1, "exec", "made", "payload", "true")
    need(docker("exec", "-d", "live", "payload", "ready-then-wait") == "", "exec -d")
    lines = table(docker("top", "live", "-eo", "pid,comm"), ["PID", "COMMAND"])
    need(all(line["PID"].isdigit() and line["COMMAND"] for line in lines), "top", lines)
    plain = docker("top", "live").splitlines()
    need(plain[0].split() == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"], plain)
    row = ndjson(docker("stats", "--no-stream", "--format", "json", "live"))
    shape(row, [STATS], "stats")
    need(len(row) == 1 and row[0]["Name"] == "live" and int(row[0]["PIDs"]) >= 1, row)
    lines = table(
        docker("stats", "--no-stream", "live"),
        ["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"],
    )
    need(lines[0]["NAME"] == "live", "stats", lines)
    need(docker("port", "live") == "", "no ports")

    path = os.path.join(work, "file")
    with open(path, "w", encoding="ascii") as file:
        file.write("text")
    docker("cp", path, "live:/tmp/file")
    need(docker("exec", "live", "payload", "cat", "/tmp/file") == "text", "cp in")
    docker("cp", "live:/tmp/file", path + ".back")
    need(open(path + ".back").read() == "text", "cp out")
    with tarfile.open(fileobj=io.BytesIO(docker.raw("cp", "live:/tmp/file", "-").stdout)) as tar:
        need(tar.getnames() == ["file"], "cp to -", tar.getnames())
    docker.fails(1, "cp", "live:/no/such", path)
    diff = docker("diff", "live").splitlines()
    need(all(re.fullmatch("[ACD] /.*", line) for line in diff) and "A /tmp/file" in diff, "diff", diff)


def held_and_ended(docker, image):
    docker.names("pause", "", "live")
    need(docker.line("ps", "--format", "{{.State}}", "--filter", "name=live") == "paused", "paused")
    matches(r"Up .* \(Paused\)", docker.line("ps", "--format", "{{.Status}}", "-f", "name=live"), "Status")
    docker.names("unpause", "", "live")
    docker("rename", "live", "lives")
    docker.fails(1, "inspect", "live")
    docker.names("update", "--restart no", "lives")
    waiting = docker.started("wait", "lives", "made")
    docker.names("stop", "-t 0", "lives")
    need(waiting.communicate(timeout=WAIT)[0] == b"137\n0\n", "wait of two")
    docker.names("stop", "", "lives", "made")
    docker.fails(1, "kill", "lives")
    docker.names("start", "", "lives")
    docker.ready("lives")
    docker.names("kill", "-s KILL", "lives")
    need(docker.line("wait", "lives") == "137", "code of a kill")
    if docker.raw("restart", "--help").returncode == 0:
        docker.names("restart", "-t 0", "lives")
        need(docker.line("inspect", "-f", "{{.State.Running}}", "lives") == "true", "restarted")
    out, err = docker.fails(1, "rm", "nobody", "made")
    need(out == "made\n" and "nobody" in err, "the others are removed", out, err)
    docker.names("rm", "-f", "lives")

    docker("run", "--name", "attached", "-d", "-i", "--network", "none", image, "payload", "cat", "/dev/stdin")
    attached = docker.started("attach", "attached")
    attached.stdin.write(b"through\n")
    attached.stdin.flush()
    need(attached.stdout.readline() == b"through\n", "attach")
    docker.names("kill", "", "attached")
    out, _ = attached.communicate(timeout=WAIT)
    need(out == b"" and attached.returncode == 137, "the end of attach", out, attached.returncode)
    docker("run", "--name", "lined", "--network", "none", image, "payload", "lines", "5")
    need(docker("logs", "--tail", "2", "lined") == "line 3\nline 4\n", "logs --tail")
    for line in docker("logs", "-t", "lined").splitlines():
        stamp, _, rest = line.partition(" ")
        matches(RFC3339, stamp, "logs -t")
        need(rest.startswith("line "), line)
    done = docker.raw("run", "--rm", "--network", "none", image, "payload", "err", "words")
    need((done.stdout, done.stderr) == (b"", b"words\n"), "streams apart", done)


def trees(docker, image, work):
    ident = docker.line("commit", "-m", "note", "-a", "me", "-c", "ENV X=y", "lined", "driver/made:1")
    matches(r"sha256:[0-9a-f]{64}", ident, "commit's id")
    made = json.loads(docker("image", "inspect", "driver/made:1"))[0]
    shape(made, IMAGE, "image inspect")
    need((made["Id"], made["Author"], made["Comment"]) == (ident, "me", "note"), made)
    need("X=y" in made["Config"]["Env"], made["Config"])
    archive = os.path.join(work, "tree.tar")
    docker("export", "-o", archive, "lined")
    with tarfile.open(archive) as tar:
        need("bin/payload" in tar.getnames(), "export", tar.getnames())
    ident = docker.line("import", "-c", 'CMD ["payload", "echo", "hi"]', archive, "driver/flat:1")
    matches(r"sha256:[0-9a-f]{64}", ident, "import's id")
    need(docker("run", "--rm", "--network", "none", "-e", "PATH=/bin", "driver/flat:1") == "hi\n", "its command")
    docker.fails(1, "rmi", image)
    freed = docker("container", "prune", "-f").splitlines()
    need(freed[0] == "Deleted Containers:" and len([i for i in freed if HEX64.fullmatch(i)]) == 2, freed)
    matches(r"Total reclaimed space: " + SIZE.pattern, freed[-1], "prune")
    need(docker("ps", "-aq") == "", "nothing is left")
    for line in docker("rmi", "driver/flat:1", "driver/made:1").splitlines():
        matches(r"(Untagged: .+|Deleted: sha256:[0-9a-f]{64})", line, "rmi")


def what_happened(docker):
    span = ["--since", "1h", "--until", "0s"]
    rows = [json.loads(line) for line in docker("events", *span, "--format", "json").splitlines()]
    shape(rows, [EVENT], "events")
    times = [row["timeNano"] for row in rows]
    need(times == sorted(times), "in order")
    actions = [row["Action"] for row in rows if row["Type"] == "container"]
    wanted = "create start attach die kill stop pause unpause rename update destroy commit export copy exec_die"
    for action in wanted.split():
        need(action in actions, f"no event {action}", sorted(set(actions)))
    need(any(action.startswith("exec_start: payload") for action in actions), actions)
    died = [row for row in rows if row["Action"] == "die"]
    for row in died:
        shape(row["Actor"]["Attributes"], {"exitCode": re.compile(r"\d+"), "image": str, "name": str}, "die")
        need(row["id"] == row["Actor"]["ID"] and row["status"] == "die", row)
    for line in docker("events", *span, "--filter", "event=die").splitlines():
        stamp, kind, action, rest = line.split(" ", 3)
        matches(RFC3339, stamp, "time of an event")
        need((kind, action) == ("container", "die"), line)
        matches(r"[0-9a-f]{64} \((\w[^=]*=[^=]*, )*\w[^=]*=[^=]*\)", rest, "actor of an event")


def as_docker(docker, image, work):
    about_the_machine(docker)
    images(docker, image)
    ident = created_and_started(docker, image, work)
    lists(docker, image, ident)
    inside(docker, work)
    held_and_ended(docker, image)
    trees(docker, image, work)
    what_happened(docker)


def as_podman(podman, image, work):
    """podman's arrays and typed values, its names and its codes."""
    need(HEX64.fullmatch(podman.line("pull", "-q", image)), "pull prints the id")
    ident = podman.line("run", "-d", "--name", "pod", "--network", "none", "-l", "a=b", image, "payload", "ready-then-wait")
    podman.ready("pod")
    rows = json.loads(podman("ps", "-a", "--format", "json"))
    keys = {
        "Id": HEX64,
        "Names": [str],
        "Image": str,
        "ImageID": HEX64,
        "Command": [str],
        "Created": int,
        "CreatedAt": str,
        "Exited": bool,
        "ExitCode": int,
        "Labels": dict,
        "Mounts": list,
        "Pid": int,
        "StartedAt": int,
        "State": str,
        "Status": str,
    }
    shape(rows, [keys], "podman ps")
    need(rows[0]["Names"] == ["pod"] and rows[0]["Labels"]["a"] == "b" and rows[0]["Id"] == ident, rows)
    found = json.loads(podman("inspect", "pod"))
    shape(found, [{"Id": HEX64, "Name": re.compile("pod"), "State": {"Status": str, "Pid": int}}], "inspect")
    rows = json.loads(podman("images", "--format", "json"))
    shape(rows, [{"Id": HEX64, "Names": [str], "Size": int, "Created": int}], "podman images")
    version = json.loads(podman("version", "--format", "json"))
    shape(version, {"Client": {"Version": str, "APIVersion": str}}, "podman version")
    info = json.loads(podman("info", "--format", "json"))
    shape(info, {"host": {"arch": str, "cpus": int}, "store": {"graphRoot": str}, "version": {"Version": str}}, "info")
    stats = json.loads(podman("stats", "--no-stream", "--format", "json", "pod"))
    shape(stats, [{"id": str, "name": str, "cpu_percent": PERCENT, "mem_usage": str, "pids": str}], "stats")
    for line in podman("events", "--since", "1h", "--stream=false", "--format", "json").splitlines():
        shape(json.loads(line), {"Name": str, "Status": str, "Time": str, "Type": str}, "podman events")
    podman("container", "exists", "pod")
    podman("container", "exists", "nobody", code=1)
    podman.fails(125, "inspect", "nobody")
    podman.fails(2, "rm", "pod")
    podman.names("rm", "-f -t 0", "pod")


def main():
    personality, program, image, work = sys.argv[1:]
    started = datetime.datetime.now()
    cli = Cli(program)
    try:
        {"docker": as_docker, "podman": as_podman}[personality](cli, image, work)
    finally:
        left = cli.raw("ps", "-aq").stdout.decode().split()
        if left:
            cli.raw("rm", "-f", *left)
    seconds = (datetime.datetime.now() - started).total_seconds()
    print(f"{personality}: {checks} checks hold ({seconds:.1f} s)")


if __name__ == "__main__":
    main()
