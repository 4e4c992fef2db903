/* A machine and its forks in memory that the program gives, in C: all that grows with what the guest does comes from
 * there and is accounted for; where the account is used up there is an error, and the machine goes on when there is more. */
#include <comet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct account {
  size_t used, most, limit;
};

static void* allocate(void* data, size_t length) {
  struct account* const account = data;
  if (length > account->limit - account->used) return NULL;
  void* const memory = malloc(length);
  if (memory == NULL) return NULL;
  memset(memory, 0xee, length); /* as it may be */
  account->used += length;
  if (account->used > account->most) account->most = account->used;
  return memory;
}

static void release(void* data, void* memory, size_t length) {
  ((struct account*)data)->used -= length;
  free(memory);
}

#define REQUIRE(condition) \
  do { \
    if (!(condition)) return printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, error.message), 1; \
  } while (0)

int main(void) {
  comet_error error = COMET_ERROR_INIT;
  struct account account = {0, 0, 4 << 20};
  comet_allocator allocator = COMET_ALLOCATOR_INIT;
  allocator.allocate = allocate;
  allocator.release = release;
  allocator.data = &account;
  comet_config config = COMET_CONFIG_INIT;
  config.window = 1 << 20;
  config.register_limit = 1024;
  config.call_depth_limit = 256;
  comet_machine* machine;
  REQUIRE(comet_machine_new_with(&config, &allocator, &machine, &error) == COMET_OK);
  REQUIRE(account.used > 8 * (size_t)65536);

  /* Stores 1 to every page from 0x20000 on, as long as there are some. */
  comet_code* code;
  const uint8_t* bytes;
  size_t length;
  REQUIRE(comet_code_new(NULL, 0x10000, &code, &error) == COMET_OK);
  const comet_operand start[] = {COMET_R(1), COMET_N(0x20000)}, one[] = {COMET_R(2), COMET_N(1)};
  const comet_operand store[] = {COMET_R(1), COMET_R(2), COMET_N(0)}, step[] = {COMET_R(1), COMET_R(1), COMET_N(COMET_PAGE_SIZE)};
  comet_label loop;
  REQUIRE(comet_code_emit(code, "imm", start, 2, &error) == COMET_OK && comet_code_emit(code, "imm", one, 2, &error) == COMET_OK);
  REQUIRE(comet_code_label(code, &loop, &error) == COMET_OK && comet_code_place(code, loop, &error) == COMET_OK);
  REQUIRE(comet_code_emit(code, "st64", store, 3, &error) == COMET_OK && comet_code_emit(code, "addi", step, 3, &error) == COMET_OK);
  const comet_operand back[] = {COMET_L(loop)};
  REQUIRE(comet_code_emit(code, "jump", back, 1, &error) == COMET_OK && comet_code_finish(code, &bytes, &length, &error) == COMET_OK);
  REQUIRE(comet_map(machine, 0, 0x10000, length, COMET_READ | COMET_EXECUTE, &error) == COMET_OK);
  REQUIRE(comet_map(machine, 0, 0x20000, 8 * COMET_PAGE_SIZE, COMET_READ | COMET_WRITE, &error) == COMET_OK);
  REQUIRE(comet_write(machine, 0, 0x10000, bytes, length, &error) == COMET_OK);
  REQUIRE(comet_thread_restart(machine, 0, 0x10000, &error) == COMET_OK);
  comet_code_free(code);

  /* A snapshot keeps each page that is stored to: more than there is, until there is more. */
  comet_snapshot* snapshot;
  comet_stop stop = COMET_STOP_INIT;
  uint64_t ones = ~(uint64_t)0;
  for (uint64_t page = 0; page < 8; ++page)
    REQUIRE(comet_write(machine, 0, 0x20000 + page * COMET_PAGE_SIZE, &ones, sizeof ones, &error) == COMET_OK);
  REQUIRE(comet_snapshot_take(machine, &snapshot, &error) == COMET_OK);
  REQUIRE(comet_run(machine, 0, 2, &stop, &error) == COMET_OK); /* what is executed is decoded */
  account.limit = account.used + 3 * COMET_PAGE_SIZE;
  REQUIRE(comet_run(machine, 0, 1000, &stop, &error) == COMET_ERROR_MEMORY);
  account.limit = 8 << 20;
  REQUIRE(comet_run(machine, 0, 1000, &stop, &error) == COMET_OK);
  REQUIRE(stop.trap == COMET_TRAP_WRITE && stop.address == 0x20000 + 8 * COMET_PAGE_SIZE);

  comet_machine* fork;
  const size_t before = account.used;
  REQUIRE(comet_machine_fork(machine, NULL, &fork, &error) == COMET_OK && account.used > before);
  comet_machine_free(machine);
  comet_machine_free(fork);
  REQUIRE(account.used == 0 && account.most <= 8 << 20);
  return 0;
}
