// measure CORE COMMAND...: runs it on that core, and prints its CPU seconds, its largest resident size in KiB and the
// seconds from its start to its end on descriptor 3. Ends as it ends.
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: measure CORE COMMAND...\n");
    return 2;
  }
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(atoi(argv[1]), &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0) perror("measure: not pinned");
  const double begin = now();
  const pid_t child = fork();
  if (child < 0) {
    perror("measure");
    return 2;
  }
  if (child == 0) {
    close(3);
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    _exit(127);
  }
  int status = 0;
  struct rusage usage;
  if (wait4(child, &status, 0, &usage) < 0) {
    perror("measure");
    return 2;
  }
  dprintf(3, "%.6f %ld %.6f\n",
          (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
              1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
          usage.ru_maxrss, now() - begin);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
