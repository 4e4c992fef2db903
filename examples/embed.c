/* Embedding Comet VM in a program of your own, in C.
 *
 *   cc embed.c -o embed $(pkg-config --cflags --libs comet-vm) && ./embed
 *
 * The program below makes a small image by hand, gives its machine two host calls of its own, runs it with
 * and without enough fuel, goes back in time to ask "what if", and handles a trap. A language front end
 * works the same way, only that its images come from its compiler or from `comet-vm asm`.
 */
#include <comet.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static comet_error error = COMET_ERROR_INIT;

/* Every function that can fail gives a status; the message says what happened and what to do. */
static void check(comet_status status) {
  if (status == COMET_OK) return;
  fprintf(stderr, "embed: %s: %s\n", comet_status_name(status), error.message);
  exit(1);
}

/* ---- An assembler in thirty lines ------------------------------------------------------------------ */

static uint8_t code[256];
static size_t code_length;
static const uint64_t origin = 0x10000;

static uint64_t here(void) { return origin + code_length; }

static void emit_number(uint64_t value) {
  do {
    const uint8_t more = value > 127 ? 128 : 0;
    code[code_length++] = (uint8_t)((value & 127) | more);
    value >>= 7;
  } while (value != 0);
}

static uint64_t zig_zag(int64_t value) { return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63); }

/* Opcodes and operand kinds come from the library's own table, so that nothing is typed twice. */
static void emit(const char* name, int64_t a, int64_t b, int64_t c) {
  const uint64_t start = here();
  const int64_t values[3] = {a, b, c};
  comet_instruction instruction = COMET_INSTRUCTION_INIT;
  size_t n = 0;
  do check(comet_isa_instruction(n++, &instruction, &error));
  while (strcmp(instruction.name, name) != 0);
  emit_number(instruction.opcode);
  for (size_t i = 0; instruction.operands[i] != 0; ++i) {
    switch (instruction.operands[i]) {
      case 'p': emit_number(zig_zag(values[i] - (int64_t)start)); break;
      case 'i':
      case 'o': emit_number(zig_zag(values[i])); break;
      default: emit_number((uint64_t)values[i]); break;
    }
  }
}

/* Adds up the numbers from 1 to what the host call `ask` gives, tells `tell` the sum, and reads the word
 * at 0x50000, where nothing is mapped. */
static comet_image* make_image(void) {
  emit("hcall", 1, 0, 0); /* base r1: the result comes in r2 */
  emit("imm", 3, 0, 0);
  const uint64_t loop = here();
  emit("add", 3, 3, 2);
  emit("addi", 2, 2, -1);
  emit("bnei", 2, 0, (int64_t)loop);
  emit("mov", 2, 3, 0);
  emit("hcall", 1, 1, 0);
  emit("imm", 4, 0x50000, 0);
  const uint64_t load = here();
  emit("ldu64", 5, 4, 0);
  emit("halt", 0, 0, 0);

  comet_image* image;
  check(comet_image_new(&image, &error));
  check(comet_image_add_section(image, ".text", origin, code, code_length, code_length,
                                COMET_READ | COMET_EXECUTE, &error));
  check(comet_image_add_symbol(image, "_start", origin, &error));
  check(comet_image_add_symbol(image, "load_word", load, &error));
  check(comet_image_add_import(image, "ask", &error));
  check(comet_image_add_import(image, "tell", &error));
  check(comet_image_set_entry(image, origin, &error));
  return image;
}

/* ---- Host calls: what the guest may ask of us ------------------------------------------------------ */

static comet_status ask(comet_call* call, void* data) {
  const uint64_t* answer = data;
  comet_call_result(call, *answer);
  return COMET_OK;
}

static comet_status tell(comet_call* call, void* data) {
  (void)data;
  printf("the guest says: %" PRIu64 "\n", comet_call_argument(call, 0));
  comet_call_result(call, 0);
  return COMET_OK;
}

/* ---- Running --------------------------------------------------------------------------------------- */

static void run(comet_machine* machine, const comet_image* image, uint64_t fuel) {
  comet_stop stop = COMET_STOP_INIT;
  check(comet_run(machine, 0, fuel, &stop, &error));
  printf("%s after %" PRIu64 " instructions", comet_reason_name(stop.reason), stop.instruction_count);
  comet_symbol symbol = COMET_SYMBOL_INIT;
  if (stop.reason == COMET_TRAP && comet_image_symbol_at(image, stop.pc, &symbol, NULL) == COMET_OK) {
    printf(": %s, address 0x%" PRIx64 ", in %s", comet_trap_name(stop.trap), stop.address, symbol.name);
  }
  printf("\n");
}

int main(void) {
  printf("Comet VM %s\n", comet_version());

  /* A file would do as well: comet_image_read takes the bytes that comet_image_write gives. */
  comet_image* built = make_image();
  const uint8_t* bytes;
  size_t length;
  check(comet_image_write(built, &bytes, &length, &error));
  comet_image* image;
  check(comet_image_read(bytes, length, &image, &error));
  comet_image_free(built);

  comet_config config = COMET_CONFIG_INIT;
  config.memory_limit = 1 << 20;
  comet_machine* machine;
  check(comet_machine_new(&config, &machine, &error));

  /* The guest gets what it is given and nothing else: before the grant, the image is refused. */
  if (comet_image_load(image, machine, 0, &error) == COMET_ERROR_CAPABILITY) printf("not granted yet\n");
  uint64_t answer = 100;
  check(comet_host_grant(machine, "ask", ask, &answer, &error));
  check(comet_host_grant(machine, "tell", tell, NULL, &error));
  check(comet_image_load(image, machine, 0, &error));

  comet_snapshot* beginning;
  check(comet_snapshot_take(machine, &beginning, &error));

  /* Fuel is exact, and running on goes on where it stopped. */
  run(machine, image, 50);
  uint64_t sum_so_far;
  check(comet_get_register(machine, 0, 0, 3, &sum_so_far, &error));
  printf("the sum so far is %" PRIu64 "\n", sum_so_far);
  run(machine, image, UINT64_MAX);

  /* The trap left the machine as it was before the instruction. Give it what it missed and go on. */
  check(comet_map(machine, 0, 0x50000, 8, COMET_READ, &error));
  check(comet_write(machine, 0, 0x50000, "comet!!", 8, &error));
  run(machine, image, UINT64_MAX);
  uint64_t word;
  check(comet_get_register(machine, 0, 0, 5, &word, &error));
  printf("r5 holds 0x%" PRIx64 "\n", word);

  /* What if the answer had been another? */
  answer = 10;
  check(comet_snapshot_restore(machine, beginning, &error));
  run(machine, image, UINT64_MAX);

  comet_snapshot_free(machine, beginning);
  comet_machine_free(machine);
  comet_image_free(image);
  return 0;
}
