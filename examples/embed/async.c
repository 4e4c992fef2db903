/* A host that waits for many machines at once, on epoll (Linux), in C.
 *
 *   cc async.c -o async $(pkg-config --cflags --libs comet-vm) && ./async
 *
 * A program asks for two things by host calls that take their time: `sleep`, so many milliseconds, and `receive`, a
 * message from a pipe. Neither is served at once: the run stops with COMET_HOST_CALL, the host notes what the machine
 * waits for, and runs others. When the descriptor is ready, the answer is written into the machine's memory, the call is
 * completed, and the machine runs on. One thread, no callback, any number of machines. One machine waits in vain and is
 * told so.
 */
#include <comet.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static comet_error error = COMET_ERROR_INIT;

static void check(comet_status status) {
  if (status == COMET_OK) return;
  fprintf(stderr, "async: %s: %s\n", comet_status_name(status), error.message);
  exit(1);
}

static int checked(int result, const char* what) {
  if (result >= 0) return result;
  fprintf(stderr, "async: %s: %s\n", what, strerror(errno));
  exit(1);
}

#define EMIT(name, ...)                                                                                          \
  check(comet_code_emit(code, name, (const comet_operand[]){__VA_ARGS__},                                        \
                        sizeof((const comet_operand[]){__VA_ARGS__}) / sizeof(comet_operand), &error))

enum { sleep_call, receive_call };
enum { code_address = 0x10000, data_address = 0x20000, tasks = 50, rounds = 3 };

typedef struct task {
  comet_machine* machine;
  int timer, inbox[2]; /* inbox[1]: where messages to the machine are written */
} task;

static task all[tasks];
static int epoll;
static size_t running = tasks;
static uint64_t received;

/* Three times: sleep r20 milliseconds, receive a message of at most 8 bytes, add what it says to r21. */
static void make_machine(task* of, unsigned number) {
  comet_code* code;
  comet_label loop;
  check(comet_code_new(NULL, code_address, &code, &error));
  EMIT("imm", COMET_R(22), COMET_N(rounds));
  check(comet_code_label(code, &loop, &error));
  check(comet_code_place(code, loop, &error));
  EMIT("mov", COMET_R(1), COMET_R(20));
  EMIT("hcall", COMET_R(0), COMET_N(sleep_call));
  EMIT("imm", COMET_R(1), COMET_N(data_address));
  EMIT("imm", COMET_R(2), COMET_N(8));
  EMIT("hcall", COMET_R(0), COMET_N(receive_call));
  EMIT("imm", COMET_R(3), COMET_N(data_address));
  EMIT("ldu64", COMET_R(4), COMET_R(3), COMET_N(0));
  EMIT("add", COMET_R(21), COMET_R(21), COMET_R(4));
  EMIT("addi", COMET_R(22), COMET_R(22), COMET_N(-1));
  EMIT("bnei", COMET_R(22), COMET_N(0), COMET_L(loop));
  check(comet_code_emit(code, "halt", NULL, 0, &error));
  const uint8_t* bytes;
  size_t length;
  check(comet_code_finish(code, &bytes, &length, &error));

  comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
  comet_config config = COMET_CONFIG_INIT;
  uint32_t index;
  config.window = (uint64_t)1 << 20;
  check(comet_machine_new(&config, &of->machine, &error));
  options.signature = "u32";
  check(comet_host_grant_with(of->machine, "sleep", NULL, NULL, &options, &error));
  options.signature = "buffer"; /* checked before the host hears of the call */
  check(comet_host_grant_with(of->machine, "receive", NULL, NULL, &options, &error));
  check(comet_host_import(of->machine, "sleep", &index, &error));
  check(comet_host_import(of->machine, "receive", &index, &error));
  check(comet_map(of->machine, 0, code_address, 1, COMET_READ | COMET_EXECUTE, &error));
  check(comet_map(of->machine, 0, data_address, 1, COMET_READ | COMET_WRITE, &error));
  check(comet_write(of->machine, 0, code_address, bytes, length, &error));
  check(comet_thread_restart(of->machine, 0, code_address, &error));
  check(comet_set_register(of->machine, 0, 0, 20, 1 + number % 7, &error));
  comet_code_free(code);
}

static void watch(task* of, int descriptor) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = of};
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) != 0)
    checked(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

/* Runs a machine until it waits or ends, and sees to it that what it waits for is watched. */
static void run(task* of) {
  comet_stop stop = COMET_STOP_INIT;
  check(comet_run(of->machine, 0, 100000, &stop, &error));
  if (stop.reason == COMET_HOST_CALL && stop.host_call == sleep_call) {
    uint64_t milliseconds;
    check(comet_host_argument(of->machine, 0, 0, &milliseconds, &error));
    const struct itimerspec when = {.it_value = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000}};
    checked(timerfd_settime(of->timer, 0, &when, NULL), "timerfd_settime");
    watch(of, of->timer);
    return;
  }
  if (stop.reason == COMET_HOST_CALL) {
    watch(of, of->inbox[0]);
    return;
  }
  if (stop.reason == COMET_HALTED) {
    uint64_t sum;
    check(comet_get_register(of->machine, 0, 0, 21, &sum, &error));
    received += sum;
  } else {
    printf("machine %d: %s: %s\n", (int)(of - all), comet_reason_name(stop.reason), stop.message);
  }
  --running;
}

/* What a machine waits for is ready: answers the call. */
static void answer(task* of) {
  comet_thread thread;
  uint32_t index;
  check(comet_host_waiting(of->machine, 0, &thread, &index, &error));
  if (index == sleep_call) {
    uint64_t expirations;
    if (read(of->timer, &expirations, sizeof expirations) < 0) return; /* not yet: it runs into the call again */
    check(comet_host_complete(of->machine, thread, 0, &error));
    return;
  }
  uint64_t address, message;
  const ssize_t length = read(of->inbox[0], &message, sizeof message);
  if (length == (ssize_t)sizeof message) {
    check(comet_host_argument(of->machine, thread, 0, &address, &error));
    check(comet_host_write(of->machine, thread, address, &message, sizeof message, &error));
    check(comet_host_complete(of->machine, thread, sizeof message, &error));
  } else {
    check(comet_host_fail(of->machine, thread, "the other side has hung up", &error));
  }
}

int main(void) {
  epoll = checked(epoll_create1(0), "epoll_create1");
  for (unsigned i = 0; i < tasks; ++i) {
    make_machine(&all[i], i);
    all[i].timer = checked(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");
    checked(pipe(all[i].inbox), "pipe");
    for (uint64_t message = 1; message <= rounds; ++message) /* the last one gets too few */
      if (i + 1 < tasks || message < rounds)
        checked((int)write(all[i].inbox[1], &message, sizeof message), "write");
  }
  close(all[tasks - 1].inbox[1]);
  for (unsigned i = 0; i < tasks; ++i) run(&all[i]);
  while (running != 0) {
    struct epoll_event ready[16];
    const int count = epoll_wait(epoll, ready, 16, -1);
    for (int i = 0; i < count; ++i) {
      answer(ready[i].data.ptr);
      run(ready[i].data.ptr);
    }
  }
  printf("%d machines received %" PRIu64 " in all\n", tasks, received);
  for (unsigned i = 0; i < tasks; ++i) comet_machine_free(all[i].machine);
  return 0;
}
