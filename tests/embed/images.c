/* Writes the images that test.sh runs, by the C API alone, so that the runner can be tested where there is no
 * assembler: `images DIRECTORY`. Each program does one thing that a runner has to cope with.
 */
#include <comet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { read_call, write_call, exit_call, other_call }; /* the import list of every image */

static comet_error error = COMET_ERROR_INIT;

static void check(comet_status status) {
  if (status == COMET_OK) return;
  fprintf(stderr, "images: %s\n", error.message);
  exit(1);
}

static const uint64_t origin = 0x10000;
static const uint64_t data = 0x100000;
static uint8_t code[1024];
static size_t code_length;
static uint64_t labels[8];

static uint64_t here(void) { return origin + code_length; }

/* Programs are emitted several times over: a jump forward finds its label from the time before. */
static void label(int n) { labels[n] = here(); }

static void emit_number(uint64_t value) {
  do {
    code[code_length++] = (uint8_t)((value & 127) | (value > 127 ? 128 : 0));
    value >>= 7;
  } while (value != 0);
}

static void emit(const char* name, int64_t a, int64_t b, int64_t c) {
  const uint64_t start = here();
  const int64_t values[3] = {a, b, c};
  comet_instruction instruction = COMET_INSTRUCTION_INIT;
  size_t n = 0;
  do check(comet_isa_instruction(n++, &instruction, &error));
  while (strcmp(instruction.name, name) != 0);
  emit_number(instruction.opcode);
  for (size_t i = 0; instruction.operands[i] != 0; ++i) {
    int64_t value = values[i];
    if (instruction.operands[i] == 'p') value = (int64_t)labels[value] - (int64_t)start;
    const int is_signed = strchr("pio", instruction.operands[i]) != NULL;
    emit_number(is_signed ? ((uint64_t)value << 1) ^ (uint64_t)(value >> 63) : (uint64_t)value);
  }
}

/* A host call with base r1: arguments in r2, r3, r4, the result in r2. */
static void host(int call, int64_t first, int64_t second, int64_t third) {
  if (first >= 0) emit("imm", 2, first, 0);
  if (second >= 0) emit("imm", 3, second, 0);
  if (third >= 0) emit("imm", 4, third, 0);
  emit("hcall", 1, call, 0);
}

static void exit_with_3(void) { host(exit_call, 3, -1, -1); }

static void exit_with_minus_1(void) {
  emit("simm", 2, 1, 0);
  host(exit_call, -1, -1, -1);
}

static void copy_input(void) {
  label(0);
  host(read_call, 0, (int64_t)data, 1 << 20);
  emit("beqi", 2, 0, 1);
  emit("mov", 4, 2, 0);
  host(write_call, 1, (int64_t)data, -1);
  emit("jump", 0, 0, 0);
  label(1);
  emit("halt", 0, 0, 0);
}

static void print_arguments(void) {
  host(other_call, -1, -1, -1); /* arg_count */
  emit("mov", 10, 2, 0);
  label(0);
  emit("beq", 11, 10, 1);
  emit("mov", 2, 11, 0);
  host(4, -1, (int64_t)data, 4096); /* arg */
  emit("imm", 3, (int64_t)data, 0);
  emit("add", 4, 3, 2);
  emit("imm", 5, '\n', 0);
  emit("st8", 4, 5, 0);
  emit("addi", 4, 2, 1);
  host(write_call, 1, -1, -1);
  emit("addi", 11, 11, 1);
  emit("jump", 0, 0, 0);
  label(1);
  emit("halt", 0, 0, 0);
}

/* A line of the environment. */
static void print_environment(void) {
  host(other_call, -1, -1, -1); /* env_count */
  emit("beqi", 2, 0, 0);
  host(4, 0, (int64_t)data, 4096); /* env */
  emit("mov", 4, 2, 0);
  host(write_call, 1, (int64_t)data, -1);
  label(0);
  emit("halt", 0, 0, 0);
}

static void spin(void) {
  label(0);
  emit("addi", 1, 1, 1);
  emit("jump", 0, 0, 0);
}

/* Spins until a signal comes, and ends with its number. */
static void handle_signal(void) {
  const int handler = 1;
  host(other_call, COMET_ON_SIGNAL, 15, (int64_t)labels[handler]);
  label(0);
  emit("jump", 0, 0, 0);
  label(handler);
  emit("hcall", 1, exit_call, 0);
}

/* Spins, and goes on behind each SIGHUP and SIGUSR1. */
static void take_signals(void) {
  const int handler = 1;
  host(other_call, COMET_ON_SIGNAL, 1, (int64_t)labels[handler]);
  host(other_call, COMET_ON_SIGNAL, 10, (int64_t)labels[handler]);
  label(0);
  emit("jump", 0, 0, 0);
  label(handler);
  emit("ret", 0, 0, 0);
}

static void write_forever(void) {
  label(0);
  host(write_call, 1, (int64_t)data, 4096);
  emit("jump", 0, 0, 0);
}

static void write_until_it_fails(void) {
  label(0);
  host(write_call, 1, (int64_t)data, 4096);
  emit("bgei_s", 2, 0, 0);
  emit("neg", 2, 2, 0);
  host(exit_call, -1, -1, -1);
}

/* Calls a function that stores where nothing is mapped. */
static void store_astray(void) {
  emit("imm", 5, 7, 0);
  emit("tset", 1, 5, 0);
  emit("call", 8, 1, 0);
  emit("halt", 0, 0, 0);
  label(1);
  emit("imm", 3, 0x50000, 0);
  emit("simm", 2, 2, 0);
  label(2);
  emit("st64", 3, 2, 8);
  emit("ret", 0, 0, 0);
}

static void ask_clock(void) {
  host(other_call, 1, -1, -1);
  emit("gti_s", 2, 2, 0);
  host(exit_call, -1, -1, -1);
}

static void print_random(void) {
  host(other_call, (int64_t)data, 16, -1);
  emit("mov", 4, 2, 0);
  host(write_call, 1, (int64_t)data, -1);
  emit("halt", 0, 0, 0);
}

static void recurse(void) {
  label(0);
  emit("addi", 9, 1, 1);
  emit("call", 8, 0, 0);
}

static void count_to_1000(void) {
  label(0);
  emit("addi", 1, 1, 1);
  emit("bnei", 1, 1000, 0);
  emit("halt", 0, 0, 0);
}

/* Tries what must fail and exits with the number of the first thing that did not fail as described. */
static void misuse(void) {
  const struct {
    int call;
    int64_t first, second, third, result;
  } cases[] = {
      {read_call, 3, (int64_t)data, 1, -9},
      {write_call, 1 << 20, (int64_t)data, 1, -9},
      {write_call, 1, 0x50000, 0, 0}, /* of a length of 0 no byte is looked at */
      {read_call, 0, 0x50000, 0, 0},
      {4, 99, (int64_t)data, 1, -22}, /* arg */
      {4, 0, 0x50000, 0, 1},          /* the length alone; test.sh names the image by one letter */
      {5, 2, -1, -1, -22},            /* clock */
      {6, 0x50000, 0, -1, 0},         /* random of no bytes */
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    emit("imm", 10, (int64_t)i + 1, 0);
    host(cases[i].call, cases[i].first, cases[i].second, cases[i].third);
    emit("bnei", 2, cases[i].result, 1);
  }
  emit("imm", 10, 0, 0);
  label(1);
  emit("mov", 2, 10, 0);
  host(exit_call, -1, -1, -1);
}

static void read_astray(void) { host(read_call, 0, 0x50000, 10); }

/* The first page is there, the second is not. */
static void write_astray(void) { host(write_call, 1, (int64_t)data, 1 << 17); }

/* Goes wherever there is no code. */
static void hostile(void) {
  labels[2] = 0x7777;
  emit("beqi", 1, 0, 2);
  emit("beqi", 1, 1, 1);
  emit("jumpr", 1, 0, 0);
  label(1);
  emit("hcall", 1, 9, 0);
  emit("jtab", 1, 1000, 3);
  code[code_length++] = 0xff; /* no such opcode */
  code[code_length++] = 0x07;
  label(3);
}

static void save(const char* directory, const char* name, void (*program)(void),
                 const char* const* more_imports, uint64_t data_length) {
  for (int pass = 0; pass < 4; ++pass) {
    code_length = 0;
    program();
  }
  comet_image* image;
  check(comet_image_new(&image, &error));
  check(comet_image_add_section(image, ".text", origin, code, code_length, code_length,
                                COMET_READ | COMET_EXECUTE | (program == hostile ? COMET_WRITE : 0), &error));
  check(comet_image_add_section(image, ".bss", data, NULL, 0, data_length, COMET_READ | COMET_WRITE, &error));
  check(comet_image_add_symbol(image, "_start", origin, &error));
  check(comet_image_add_line(image, origin, "program.s", 1, 0, &error));
  if (program == store_astray) {
    check(comet_image_add_symbol(image, "store_word", labels[1], &error));
    check(comet_image_add_line(image, labels[2], "program.s", 12, 3, &error));
  }
  check(comet_image_add_import(image, "read", &error));
  check(comet_image_add_import(image, "write", &error));
  check(comet_image_add_import(image, "exit", &error));
  for (; *more_imports != NULL; ++more_imports) check(comet_image_add_import(image, *more_imports, &error));
  check(comet_image_set_entry(image, origin, &error));

  const uint8_t* bytes;
  size_t length;
  check(comet_image_write(image, &bytes, &length, &error));
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE* file = fopen(path, "wb");
  if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) {
    perror(path);
    exit(1);
  }
  comet_image_free(image);
}

int main(int count, char** arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: images DIRECTORY\n");
    return 64;
  }
  const char* directory = arguments[1];
  const char* const none[] = {NULL};
  const char* const arguments_calls[] = {"arg_count", "arg", NULL};
  const char* const environment_calls[] = {"env_count", "env", NULL};
  const char* const clock_call[] = {"clock", NULL};
  const char* const signal_call[] = {"on", NULL};
  const char* const random_call[] = {"random", NULL};
  const char* const all_calls[] = {"arg_count", "arg", "clock", "random", NULL};
  const uint64_t a_mebibyte = 1 << 20;
  save(directory, "exit-with-3.image", exit_with_3, none, 16);
  save(directory, "exit-with-minus-1.image", exit_with_minus_1, none, 16);
  save(directory, "copy-input.image", copy_input, none, a_mebibyte);
  save(directory, "print-arguments.image", print_arguments, arguments_calls, 8192);
  save(directory, "print-environment.image", print_environment, environment_calls, 8192);
  save(directory, "spin.image", spin, none, 16);
  save(directory, "handle-signal.image", handle_signal, signal_call, 16);
  save(directory, "take-signals.image", take_signals, signal_call, 16);
  save(directory, "write-forever.image", write_forever, none, 4096);
  save(directory, "write-until-it-fails.image", write_until_it_fails, none, 4096);
  save(directory, "store-astray.image", store_astray, none, 16);
  save(directory, "ask-clock.image", ask_clock, clock_call, 16);
  save(directory, "print-random.image", print_random, random_call, 16);
  save(directory, "recurse.image", recurse, none, 16);
  save(directory, "count.image", count_to_1000, none, 16);
  save(directory, "large.image", count_to_1000, none, (uint64_t)1 << 30);
  save(directory, "read-astray.image", read_astray, none, 16);
  save(directory, "write-astray.image", write_astray, none, 16);
  save(directory, "hostile.image", hostile, none, 16);
  save(directory, "m", misuse, all_calls, 16);
  return 0;
}
