/* A WebAssembly program inside a program in C, which serves what it imports.
 *
 *   comet-vm image guest.wasm -o guest.img
 *   cc wasm.c -o wasm $(pkg-config --cflags --libs comet-vm) && ./wasm guest.img
 *
 * The guest imports two functions of the module `env`; an import of any module but WASI's is a host call named
 * MODULE.NAME. As text it could be
 *
 *   (module
 *     (import "env" "square" (func $square (param i32) (result i32)))
 *     (import "env" "say" (func $say (param i32 i32)))
 *     (memory (export "memory") 1)
 *     (data (i32.const 16) "seven squared is 49\n")
 *     (func (export "_start")
 *       (if (i32.eq (call $square (i32.const 7)) (i32.const 49))
 *         (then (call $say (i32.const 16) (i32.const 20))))))
 */
#include <comet.h>

#include <stdio.h>
#include <stdlib.h>

static comet_error error = COMET_ERROR_INIT;

static void check(comet_status status) {
  if (status == COMET_OK) return;
  fprintf(stderr, "wasm: %s: %s\n", comet_status_name(status), error.message);
  exit(1);
}

/* An i32 comes with zeros above it, and its result is cut to 32 bits. */
static comet_status square(comet_call* call, void* data) {
  const uint64_t n = comet_call_argument(call, 0);
  (void)data;
  comet_call_result(call, n * n);
  return COMET_OK;
}

/* Addresses of the guest count from where its memory begins, which the symbol `memory` tells. What it may not read
 * makes it trap: that is what comet_call_read returns. */
static comet_status say(comet_call* call, void* data) {
  const comet_symbol* memory = data;
  char text[256];
  const uint64_t length = comet_call_argument(call, 1);
  if (length > sizeof text) return comet_call_fail(call, "say takes at most 256 bytes");
  const comet_status status = comet_call_read(call, memory->value + comet_call_argument(call, 0), text, length);
  if (status == COMET_OK) fwrite(text, 1, length, stdout);
  return status;
}

static comet_image* read_image(const char* path) {
  static char bytes[1 << 20];
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  const size_t length = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  comet_image* image = NULL;
  check(comet_image_read(bytes, length, &image, &error));
  return image;
}

int main(int count, char** arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: wasm IMAGE\n");
    return 2;
  }
  comet_image* image = read_image(arguments[1]);
  comet_symbol memory = COMET_SYMBOL_INIT;
  check(comet_image_find_symbol(image, "memory", &memory, &error));

  comet_machine* machine = NULL;
  check(comet_machine_new(NULL, &machine, &error));
  check(comet_host_grant(machine, "env.square", square, NULL, &error));
  check(comet_host_grant(machine, "env.say", say, &memory, &error));
  check(comet_image_load(image, machine, 0, &error));
  comet_stop stop = COMET_STOP_INIT;
  check(comet_run(machine, 0, 1000000, &stop, &error));
  printf("%s after %llu instructions\n", comet_reason_name(stop.reason), (unsigned long long)stop.instruction_count);
  comet_machine_free(machine);
  comet_image_free(image);
  return stop.reason == COMET_HALTED ? 0 : 1;
}
