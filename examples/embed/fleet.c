/* Ten thousand machines, each in a sandbox of its own, run to completion in one process, in C.
 *
 *   cc fleet.c -o fleet $(pkg-config --cflags --libs comet-vm) && ./fleet [MACHINES]
 *
 * One machine is made and warmed up; the others are forks of it, which share its pages until they write to them, so that
 * each costs the pages that it changes. All are alive at once and run in turns, a slice of instructions each, until every
 * one has ended. Each computes something of its own; one in a hundred never ends and one in a hundred stores where it may
 * not, which harms nobody.
 */
#include <comet.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static comet_error error = COMET_ERROR_INIT;

static void check(comet_status status) {
  if (status == COMET_OK) return;
  fprintf(stderr, "fleet: %s: %s\n", comet_status_name(status), error.message);
  exit(1);
}

#define EMIT(code, name, ...)                                                                                    \
  check(comet_code_emit(code, name, (const comet_operand[]){__VA_ARGS__},                                        \
                        sizeof((const comet_operand[]){__VA_ARGS__}) / sizeof(comet_operand), &error))

enum { code_address = 0x10000, table_address = 0x20000, table_pages = 4, slice = 2000, patience = 20 };

/* r1: the machine's number. Counts the steps of the Collatz sequence from there, and leaves them in its own table. */
static void write_program(comet_machine* machine) {
  comet_code* code;
  comet_label loop, even, done, next, forever, astray;
  check(comet_code_new(NULL, code_address, &code, &error));
  comet_label* const labels[] = {&loop, &even, &done, &next, &forever, &astray};
  for (size_t i = 0; i < sizeof labels / sizeof labels[0]; ++i) check(comet_code_label(code, labels[i], &error));
  EMIT(code, "imm", COMET_R(5), COMET_N(100));
  EMIT(code, "rem_u", COMET_R(6), COMET_R(1), COMET_R(5));
  EMIT(code, "beqi", COMET_R(6), COMET_N(13), COMET_L(forever));
  EMIT(code, "beqi", COMET_R(6), COMET_N(77), COMET_L(astray));
  EMIT(code, "addi", COMET_R(2), COMET_R(1), COMET_N(1));
  check(comet_code_place(code, loop, &error));
  EMIT(code, "beqi", COMET_R(2), COMET_N(1), COMET_L(done));
  EMIT(code, "addi", COMET_R(3), COMET_R(3), COMET_N(1));
  EMIT(code, "andi", COMET_R(4), COMET_R(2), COMET_N(1));
  EMIT(code, "beqi", COMET_R(4), COMET_N(0), COMET_L(even));
  EMIT(code, "muli", COMET_R(2), COMET_R(2), COMET_N(3));
  EMIT(code, "addi", COMET_R(2), COMET_R(2), COMET_N(1));
  EMIT(code, "jump", COMET_L(loop));
  check(comet_code_place(code, even, &error));
  EMIT(code, "shri_u", COMET_R(2), COMET_R(2), COMET_N(1));
  check(comet_code_place(code, next, &error));
  EMIT(code, "jump", COMET_L(loop));
  check(comet_code_place(code, done, &error));
  EMIT(code, "imm", COMET_R(5), COMET_N(table_address));
  EMIT(code, "st64", COMET_R(5), COMET_R(3), COMET_N(0));
  check(comet_code_emit(code, "halt", NULL, 0, &error));
  check(comet_code_place(code, forever, &error));
  EMIT(code, "jump", COMET_L(forever));
  check(comet_code_place(code, astray, &error));
  EMIT(code, "st64", COMET_R(0), COMET_R(1), COMET_N(0));
  const uint8_t* bytes;
  size_t length;
  check(comet_code_finish(code, &bytes, &length, &error));
  check(comet_map(machine, 0, code_address, 1, COMET_READ | COMET_EXECUTE, &error));
  check(comet_map(machine, 0, table_address, (uint64_t)table_pages * COMET_PAGE_SIZE, COMET_READ | COMET_WRITE, &error));
  check(comet_write(machine, 0, code_address, bytes, length, &error));
  for (uint64_t i = 0; i < (uint64_t)table_pages * COMET_PAGE_SIZE / sizeof i; ++i) /* something to share */
    check(comet_write(machine, 0, table_address + i * sizeof i, &i, sizeof i, &error));
  check(comet_thread_restart(machine, 0, code_address, &error));
  comet_code_free(code);
}

int main(int count, char** arguments) {
  const size_t machines = count > 1 ? strtoul(arguments[1], NULL, 10) : 10000;
  comet_config config = COMET_CONFIG_INIT;
  config.window = (uint64_t)1 << 20; /* small machines: as much fast memory as they use */
  config.memory_limit = (uint64_t)1 << 20;
  config.register_limit = 4096;
  config.call_depth_limit = 256;
  comet_machine* first;
  check(comet_machine_new(&config, &first, &error));
  write_program(first);
  comet_state* warm;
  check(comet_state_capture(first, NULL, &warm, &error));

  comet_machine** const fleet = calloc(machines, sizeof *fleet);
  if (fleet == NULL && machines != 0) return 1;
  for (size_t i = 0; i < machines; ++i) {
    check(comet_machine_fork(first, warm, &fleet[i], &error));
    check(comet_set_register(fleet[i], 0, 0, 1, i, &error));
  }
  comet_state_free(warm);
  comet_machine_free(first);

  size_t halted = 0, trapped = 0, stuck = 0;
  uint64_t steps = 0, instructions = 0;
  for (size_t left = machines, round = 0; left != 0; ++round) {
    for (size_t i = 0; i < machines; ++i) {
      if (fleet[i] == NULL) continue;
      comet_stop stop = COMET_STOP_INIT;
      check(comet_run(fleet[i], 0, slice, &stop, &error));
      instructions += stop.executed;
      if (stop.reason == COMET_OUT_OF_FUEL && round < patience) continue;
      if (stop.reason == COMET_HALTED) {
        uint64_t result;
        check(comet_read(fleet[i], 0, table_address, &result, sizeof result, &error));
        steps += result;
        ++halted;
      } else if (stop.reason == COMET_TRAP) {
        ++trapped;
      } else {
        ++stuck;
      }
      comet_machine_free(fleet[i]);
      fleet[i] = NULL;
      --left;
    }
  }
  free(fleet);
  printf("%zu machines: %zu halted, %zu trapped, %zu were given up\n", machines, halted, trapped, stuck);
  printf("%" PRIu64 " steps of Collatz sequences in %" PRIu64 " instructions\n", steps, instructions);
  return 0;
}
