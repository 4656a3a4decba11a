/*
 * What the kernel takes for the same work: faults, fork and exit of processes.
 *
 * kernel PAGES ROUNDS prints lines "figure NAME NANOSECONDS", medians over the rounds:
 *   zero   zero-fill fault, each page of a fresh mapping
 *   cow    copy-on-write fault, each page after a fork
 *   fork   fork with all pages resident and written
 *   small  fork of a process with a few pages, one write by the child, exit, wait
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096L
#define SMALL_FORKS 50

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void report(const char *name, double *values, int count) {
  qsort(values, count, sizeof *values, compare);
  printf("figure %s %.6g\n", name, values[count / 2]);
}

/* Writes to each page; nanoseconds for one. */
static double touch(volatile char *memory, long pages, char value) {
  double start = now();
  for (long i = 0; i < pages; i++) memory[i * PAGE] = value;
  return (now() - start) / pages;
}

/* A child that waits until its end of the pipe is closed. */
static pid_t fork_waiting(int pipe_ends[2], double *time) {
  if (pipe(pipe_ends)) fail("pipe");
  double start = now();
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    char byte;
    close(pipe_ends[1]);
    _exit(read(pipe_ends[0], &byte, 1) < 0);
  }
  *time = now() - start;
  return child;
}

static double small_fork(volatile char *memory) {
  double start = now();
  for (int i = 0; i < SMALL_FORKS; i++) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      memory[0] = 1;
      _exit(0);
    }
    waitpid(child, NULL, 0);
  }
  return (now() - start) / SMALL_FORKS;
}

int main(int count, char **arguments) {
  long pages = count > 1 ? atol(arguments[1]) : 0;
  int rounds = count > 2 ? atoi(arguments[2]) : 0;
  if (pages < 1 || rounds < 1 || rounds > 100) {
    fprintf(stderr, "usage: kernel PAGES ROUNDS\n");
    return 2;
  }
  double zero[100], cow[100], forks[100], small[100];
  static volatile char little[16 * PAGE];
  touch(little, 16, 1);
  for (int i = 0; i < rounds; i++) {
    small[i] = small_fork(little);
    char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
    zero[i] = touch(memory, pages, 1);
    int pipe_ends[2];
    pid_t child = fork_waiting(pipe_ends, &forks[i]);
    cow[i] = touch(memory, pages, 2);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    waitpid(child, NULL, 0);
    munmap(memory, pages * PAGE);
  }
  report("zero", zero, rounds);
  report("cow", cow, rounds);
  report("fork", forks, rounds);
  report("small", small, rounds);
  return 0;
}
