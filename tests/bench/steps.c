/* steps FUNCTIONS PROGRAM COMMAND...: runs a command that becomes PROGRAM, which is static, and
 * prints the address of each of its functions when it is first called, in its forks too until they
 * become other programs. FUNCTIONS has the addresses of all of them, in hex, one a line. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT (64UL << 20) /* no code above */
enum { UNKNOWN, WAITED_FOR, CALLED };
static unsigned char state[LIMIT], original[LIMIT];

static int memory(pid_t pid) {
	char path[32];
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	return open(path, O_RDWR | O_CLOEXEC);
}

static int has_become(pid_t pid, const char *program) {
	char link[32], path[4096];
	ssize_t length;
	snprintf(link, sizeof link, "/proc/%d/exe", pid);
	length = readlink(link, path, sizeof path);
	return length == (ssize_t)strlen(program) && !memcmp(path, program, length);
}

/* Puts a breakpoint at the beginning of every function. */
static void arm(pid_t pid, const char *functions) {
	FILE *list = fopen(functions, "r");
	unsigned long at;
	int mem = memory(pid);
	if (!list || mem < 0)
		exit(2);
	while (fscanf(list, "%lx", &at) == 1) {
		if (at >= LIMIT || pread(mem, &original[at], 1, at) != 1 || pwrite(mem, "\xcc", 1, at) != 1)
			continue;
		state[at] = WAITED_FOR;
	}
	fclose(list);
	close(mem);
}

/* Takes a breakpoint out of the process that met it; the others may still meet it. */
static int met(pid_t pid) {
	struct user_regs_struct regs;
	unsigned long at;
	int mem;
	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) != 0)
		return 0;
	at = regs.rip - 1;
	if (at >= LIMIT || state[at] == UNKNOWN)
		return 0;
	if (state[at] == WAITED_FOR)
		printf("%lx\n", at);
	state[at] = CALLED;
	mem = memory(pid);
	if (mem < 0 || pwrite(mem, &original[at], 1, at) != 1)
		exit(2);
	close(mem);
	regs.rip = at;
	ptrace(PTRACE_SETREGS, pid, 0, &regs);
	return 1;
}

int main(int argc, char **argv) {
	long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int status, first = 1, armed = 0, code = 1;
	pid_t pid, main_pid = fork();
	if (argc < 4 || main_pid < 0)
		return 2;
	if (main_pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		if (!freopen("/dev/null", "w", stdout))
			return 2;
		execvp(argv[3], argv + 3);
		return 127;
	}
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		int signal = 0, event = status >> 16;
		if (pid <= 0)
			continue;
		if (!WIFSTOPPED(status)) {
			if (pid == main_pid && WIFEXITED(status))
				code = WEXITSTATUS(status);
			continue;
		}
		if (first || (event == PTRACE_EVENT_EXEC && pid == main_pid)) {
			if (first)
				ptrace(PTRACE_SETOPTIONS, pid, 0, options);
			first = 0;
			if (!armed && has_become(pid, argv[2])) {
				arm(pid, argv[1]);
				armed = 1;
			}
		} else if (event == PTRACE_EVENT_EXEC) {
			ptrace(PTRACE_DETACH, pid, 0, 0);
			continue;
		} else if (event == 0 && WSTOPSIG(status) == SIGTRAP) {
			signal = met(pid) ? 0 : SIGTRAP;
		} else if (event == 0 && WSTOPSIG(status) != SIGSTOP) {
			signal = WSTOPSIG(status);
		}
		ptrace(PTRACE_CONT, pid, 0, signal);
	}
	return code;
}
