/* The floor of a container start: the least that makes the same namespaces, id maps, overlay,
 * mounts, masks, capabilities and a seccomp filter of the same size, and executes.
 *
 *   floor root|subid|single none|host LOWER[:LOWER...] STATE PROGRAM [ARG...]
 *
 * STATE is a directory on the file system that ketch's store is on; upper and work are made in it
 * and removed again. Built static: gcc -O2 -static -o floor floor.c */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *at = "start";

static void die(const char *what) {
  fprintf(stderr, "floor: %s: %s: %s\n", at, what, strerror(errno));
  _exit(125);
}

static void check(int result, const char *what) {
  if (result < 0) die(what);
}

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) die(path);
  close(fd);
}

/* A filter as long as docker's profile is for one architecture (about 120 instructions): loading it
 * costs what loading a real one does, and it forbids nothing that the program under test needs. */
static void filter(void) {
  enum { SEGMENTS = 58 };
  static struct sock_filter code[SEGMENTS * 2 + 8];
  unsigned n = 0;
  code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4);
  code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xC000003E, 1, 0);
  code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
  code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
  for (unsigned i = 0; i < SEGMENTS; i++) {
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (i + 1) * 8, 1, 0);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  }
  code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
  struct sock_fprog program = {.len = n, .filter = code};
  check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp");
}

static void capabilities(void) {
  const unsigned mask = 0xa80425fb;
  for (int i = 0; i <= 40; i++)
    if (i >= 32 || !(mask & (1u << i))) prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {{.effective = mask, .permitted = mask}, {0}};
  check(syscall(SYS_capset, &head, data), "capset");
}

static void mount_at(const char *type, const char *target, unsigned long flags, const char *data) {
  check(mount(type, target, type, flags, data), target);
}

static void read_only(const char *path) {
  if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0) return;
  mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static void devices(int rootless) {
  static const struct { const char *path; unsigned major, minor; } nodes[] = {
      {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7},
      {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
  mount_at("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
  for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
    if (rootless) {
      char host[64];
      snprintf(host, sizeof host, "/%s", nodes[i].path);
      close(open(nodes[i].path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
      check(mount(host, nodes[i].path, NULL, MS_BIND, NULL), host);
    } else {
      check(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)), nodes[i].path);
    }
  }
  mkdir("dev/pts", 0755), mkdir("dev/shm", 01777), mkdir("dev/mqueue", 0755);
  check(symlink("/proc/self/fd", "dev/fd"), "dev/fd");
  check(symlink("/proc/self/fd/0", "dev/stdin"), "dev/stdin");
  check(symlink("/proc/self/fd/1", "dev/stdout"), "dev/stdout");
  check(symlink("/proc/self/fd/2", "dev/stderr"), "dev/stderr");
  check(symlink("pts/ptmx", "dev/ptmx"), "dev/ptmx");
  mount_at("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
  mount_at("tmpfs", "dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k");
  mount_at("mqueue", "dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* The root file system: overlay, mounts, masks, then the old root is let go. */
static void root(const char *lower, const char *state, int rootless, int own_net) {
  char upper[512], work[512], data[8192], merged[512];
  snprintf(upper, sizeof upper, "%s/upper", state);
  snprintf(work, sizeof work, "%s/work", state);
  snprintf(merged, sizeof merged, "%s/merged", state);
  snprintf(data, sizeof data, "lowerdir=%s,upperdir=%s,workdir=%s,volatile%s", lower, upper, work,
           rootless ? ",userxattr" : "");
  check(mount("overlay", merged, "overlay", 0, data), "overlay");
  check(chdir(merged), merged);
  const char *names[] = {"etc/hosts", "etc/hostname", "etc/resolv.conf"};
  mkdir("proc", 0755), mkdir("sys", 0755), mkdir("dev", 0755), mkdir("etc", 0755);
  mount_at("proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  devices(rootless);
  if (own_net) {
    mount_at("sysfs", "sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
  } else {
    check(mount("/sys", "sys", NULL, MS_BIND | MS_REC, NULL), "sys");
    mount(NULL, "sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  }
  for (unsigned i = 0; i < 3; i++) {
    char source[512];
    snprintf(source, sizeof source, "%s/%s", state, strrchr(names[i], '/') + 1);
    close(open(names[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    check(mount(source, names[i], NULL, MS_BIND, NULL), source);
  }
  check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  check(umount2(".", MNT_DETACH), "umount");
  check(chdir("/"), "/");
  const char *files[] = {"/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug"};
  const char *folders[] = {"/proc/acpi", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"};
  const char *fixed[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  for (unsigned i = 0; i < 5; i++) mount("/dev/null", files[i], NULL, MS_BIND, NULL);
  for (unsigned i = 0; i < 4; i++) mount("tmpfs", folders[i], "tmpfs", MS_RDONLY, "size=0k");
  for (unsigned i = 0; i < 5; i++) read_only(fixed[i]);
}

static void loopback(void) {
  struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  strcpy(request.ifr_name, "lo");
  check(ioctl(fd, SIOCSIFFLAGS, &request), "lo");
  close(fd);
}

/* Starts newuidmap or newgidmap for the process with the whole range of this user. */
static pid_t helper(const char *program, const char *list, pid_t pid, const char *user, unsigned own) {
  FILE *file = fopen(list, "re");
  char line[256];
  unsigned first = 0, count = 0;
  size_t length = strlen(user);
  while (file && fgets(line, sizeof line, file))
    if (!strncmp(line, user, length) && line[length] == ':') sscanf(line + length, ":%u:%u", &first, &count);
  if (file) fclose(file);
  if (!count) errno = ENOENT, die(list);
  pid_t child = vfork();
  if (child == 0) {
    char texts[4][16];
    snprintf(texts[0], 16, "%d", pid), snprintf(texts[1], 16, "%u", own);
    snprintf(texts[2], 16, "%u", first), snprintf(texts[3], 16, "%u", count);
    execl(program, program, texts[0], "0", texts[1], "1", "1", texts[2], texts[3], NULL);
    _exit(127);
  }
  return child;
}

static void map_range(pid_t pid) {
  struct passwd *user = getpwuid(getuid());
  if (!user) die("user");
  pid_t both[2] = {helper("/usr/bin/newuidmap", "/etc/subuid", pid, user->pw_name, getuid()),
                   helper("/usr/bin/newgidmap", "/etc/subgid", pid, user->pw_name, getgid())};
  for (int i = 0; i < 2; i++) {
    int status;
    if (waitpid(both[i], &status, 0) < 0 || status) errno = EPERM, die("newuidmap");
  }
}

struct job { char **argv; int ready[2], mapped[2], rootless, subid, own_net; };

static int child(struct job *job) {
  char byte;
  at = "child";
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (job->subid) {
    check(write(job->ready[1], "r", 1), "ready");
    check(read(job->mapped[0], &byte, 1), "mapped");
  }
  check(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL), "slave");
  if (job->own_net) loopback();
  check(sethostname("floor", 5), "hostname");
  root(job->argv[3], job->argv[4], job->rootless, job->own_net);
  if (job->rootless != 1 || job->subid) check(setresgid(0, 0, 0) | setresuid(0, 0, 0), "ids");
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  capabilities();
  syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
  filter();
  execv(job->argv[5], job->argv + 5);
  die(job->argv[5]);
  return 125;
}

int main(int argc, char **argv) {
  if (argc < 6) return fprintf(stderr, "usage: floor root|subid|single none|host LOWER STATE PROGRAM...\n"), 2;
  struct job job = {.argv = argv, .rootless = strcmp(argv[1], "root") != 0, .subid = !strcmp(argv[1], "subid"), .own_net = !strcmp(argv[2], "none")};
  char path[1024], state[512], map[64];
  unsigned uid = getuid(), gid = getgid();
  snprintf(state, sizeof state, "%s/%d", argv[4], getpid());
  argv[4] = state;
  check(mkdir(state, 0755), state);
  static const char *folders[] = {"upper", "work", "merged"}, *files[] = {"hosts", "hostname", "resolv.conf", "state"};
  for (int i = 0; i < 3; i++) snprintf(path, sizeof path, "%s/%s", state, folders[i]), check(mkdir(path, 0755), path);
  for (int i = 0; i < 4; i++) {
    snprintf(path, sizeof path, "%s/%s", state, files[i]);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    check(write(fd, "floor\n", 6), path);
    close(fd);
  }
  check(pipe2(job.ready, O_CLOEXEC) | pipe2(job.mapped, O_CLOEXEC), "pipe");
  unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | (job.own_net ? CLONE_NEWNET : 0);
  /* The caller maps itself for `single`: the child is cloned from a process inside the map. */
  if (job.rootless && !job.subid) {
    check(unshare(CLONE_NEWUSER), "user namespace");
    put("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", uid), put("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", gid), put("/proc/self/gid_map", map);
  }
  pid_t pid = syscall(SYS_clone, flags | (job.subid ? CLONE_NEWUSER : 0) | SIGCHLD, 0, 0, 0, 0);
  check(pid, "clone");
  if (pid == 0) return child(&job);
  if (job.subid) {
    char byte;
    check(read(job.ready[0], &byte, 1), "ready");
    map_range(pid);
    check(write(job.mapped[1], "m", 1), "mapped");
  }
  int status;
  check(waitpid(pid, &status, 0), "wait");
  for (int i = 0; i < 4; i++) snprintf(path, sizeof path, "%s/%s", state, files[i]), unlink(path);
  /* The overlay leaves work/work and what is below it with mode 000. */
  static const char *shut[] = {"work/work", "work/work/incompat", "work/work/incompat/volatile"};
  for (int i = 0; i < 3; i++) snprintf(path, sizeof path, "%s/%s", state, shut[i]), chmod(path, 0700);
  static const char *left[] = {"work/work/incompat/volatile/dirty", "work/work/incompat/volatile", "work/work/incompat", "work/work", "work", "upper/etc/hosts", "upper/etc/hostname",
                               "upper/etc/resolv.conf", "upper/etc", "upper/proc", "upper/sys", "upper/dev", "upper", "merged", ""};
  for (unsigned i = 0; i < sizeof left / sizeof *left; i++) {
    snprintf(path, sizeof path, "%s/%s", state, left[i]);
    /* A program that wrote leaves its files: the bench runs none that does. */
    if (remove(path) < 0 && errno != ENOENT) fprintf(stderr, "floor: %s: %s\n", path, strerror(errno));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
