/* Runs several commands in turn, round after round, and prints the median of each and its ratio to
 * the first: what the machine does meanwhile meets all of them alike. The same for the processor time
 * of the command and of all its children that it waited for, which a busy machine changes little.
 *
 *   interleave ROUNDS GAP_MS NAME COMMAND [NAME COMMAND]...
 *
 * A command is a line for the shell's word splitting without quotes; %d in it becomes the round,
 * for fresh directories; NAME=value words before the program go into its environment, without the
 * millisecond that env(1) would take. A gap after each sample keeps the tail of one out of the next. A command
 * that fails is printed as failed and takes no further part. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double once(const char *command, int round, double *cpu) {
  char line[8192], *words[256], *save;
  size_t length = 0;
  int count = 0;
  for (const char *from = command; *from && length < sizeof line - 16; from++) {
    if (from[0] == '%' && from[1] == 'd')
      length += sprintf(line + length, "%d", round), from++;
    else
      line[length++] = *from;
  }
  line[length] = 0;
  for (char *word = strtok_r(line, " ", &save); word && count < 255; word = strtok_r(NULL, " ", &save)) words[count++] = word;
  words[count] = NULL;
  char *environment[1024];
  int first = 0, variables = 0;
  for (; first < count && strchr(words[first], '=') && variables < 16; first++) environment[variables++] = words[first];
  for (char **from = environ; *from && variables < 1023; from++) {
    int replaced = 0;
    for (int i = 0; i < first; i++) replaced |= !strncmp(*from, words[i], strcspn(words[i], "=") + 1);
    if (!replaced) environment[variables++] = *from;
  }
  environment[variables] = NULL;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  if (!getenv("INTERLEAVE_STDERR")) posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid;
  int status;
  double start = now();
  if (posix_spawnp(&pid, words[first], &actions, NULL, words + first, environment)) return -1;
  struct rusage used;
  wait4(pid, &status, 0, &used);
  double spent = now() - start;
  *cpu = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
  posix_spawn_file_actions_destroy(&actions);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? spent : -1;
}

int main(int argc, char **argv) {
  if (argc < 5) return fprintf(stderr, "usage: interleave ROUNDS GAP_MS NAME COMMAND...\n"), 2;
  int rounds = atoi(argv[1]), gap = atoi(argv[2]), commands = (argc - 3) / 2, failed = 0;
  double *samples = calloc((size_t)rounds * commands, sizeof *samples), first = 0, cpu, first_cpu = 0;
  double *cpus = calloc((size_t)rounds * commands, sizeof *cpus);
  char *bad = calloc(commands, 1);
  for (int round = 0; round < rounds + 1; round++)
    for (int i = 0; i < commands; i++) {
      if (bad[i]) continue;
      double spent = once(argv[4 + 2 * i], round, &cpu);
      if (spent < 0) bad[i] = 1;
      /* Round 0 warms the caches and is not counted. */
      if (round) samples[(size_t)i * rounds + round - 1] = spent, cpus[(size_t)i * rounds + round - 1] = cpu;
      poll(NULL, 0, gap);
    }
  printf("%-28s %9s %9s %9s %8s %9s %8s\n", "", "median ms", "p10", "p90", "ratio", "cpu ms", "ratio");
  for (int i = 0; i < commands; i++) {
    double *own = samples + (size_t)i * rounds;
    if (bad[i]) {
      printf("%-28s failed\n", argv[3 + 2 * i]), failed = 1;
      continue;
    }
    qsort(own, rounds, sizeof *own, compare);
    double *own_cpu = cpus + (size_t)i * rounds;
    qsort(own_cpu, rounds, sizeof *own_cpu, compare);
    double median = own[rounds / 2], median_cpu = own_cpu[rounds / 2];
    if (first == 0) first = median, first_cpu = median_cpu > 0 ? median_cpu : 1;
    printf("%-28s %9.2f %9.2f %9.2f %8.2f %9.2f %8.2f\n", argv[3 + 2 * i], median, own[rounds / 10], own[rounds * 9 / 10],
           median / first, median_cpu, median_cpu / first_cpu);
  }
  return failed;
}
