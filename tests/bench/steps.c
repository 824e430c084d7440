/* steps PROGRAM ARG...: runs a static program one instruction after the other, its forks too until
 * they become other programs, and prints each sixteen bytes of code when they are first executed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT (64UL << 20) /* no code above */
static unsigned char seen[LIMIT / 16 / 8];

static void note(unsigned long at) {
	unsigned long block = at / 16;
	if (at >= LIMIT || seen[block / 8] & 1 << block % 8)
		return;
	seen[block / 8] |= 1 << block % 8;
	printf("%lx\n", at);
}

int main(int argc, char **argv) {
	long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int status, first = 1, code = 1;
	pid_t pid, main_pid = fork();
	if (argc < 2 || main_pid < 0)
		return 2;
	if (main_pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		if (!freopen("/dev/null", "w", stdout))
			return 2;
		execv(argv[1], argv + 1);
		return 127;
	}
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		struct user_regs_struct regs;
		int signal = 0;
		if (pid <= 0)
			continue;
		if (!WIFSTOPPED(status)) {
			if (pid == main_pid && WIFEXITED(status))
				code = WEXITSTATUS(status);
			continue;
		}
		if (first) {
			ptrace(PTRACE_SETOPTIONS, pid, 0, options);
			first = 0;
		} else if (status >> 16 == PTRACE_EVENT_EXEC) {
			ptrace(PTRACE_DETACH, pid, 0, 0);
			continue;
		} else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
			signal = WSTOPSIG(status);
		}
		if (ptrace(PTRACE_GETREGS, pid, 0, &regs) == 0)
			note(regs.rip);
		ptrace(PTRACE_SINGLESTEP, pid, 0, signal);
	}
	return code;
}
