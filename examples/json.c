// Reads JSON, writes it indented: what is wrong with it is told with line and column.
//
//     comet-vm run examples/json.wasm < data.json
//
// Made by
//     clang --target=wasm32-wasi -g -fdebug-compilation-dir=. examples/json.c -o examples/json.wasm
//
// Debugged, as any program: at these lines, and backward. See scheme-lib/loaders/wasm/README.md.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int depth;          // how many arrays and objects are open
static int line = 1;       // where the next character is
static int column = 1;
static int next = -2;      // that character; -1 at the end, -2 before it was read

static char input[4096], output[4096];
static int input_at, input_end, output_end;

static void flush(void) {
  for (int done = 0; done < output_end;) {
    const int written = (int)write(1, output + done, output_end - done);
    if (written <= 0) _Exit(74);
    done += written;
  }
  output_end = 0;
}

static void put(int c) {
  if (output_end == sizeof output) flush();
  output[output_end++] = (char)c;
}

static int peek(void) {
  if (next != -2) return next;
  if (input_at == input_end) {
    input_at = 0;
    input_end = (int)read(0, input, sizeof input);
    if (input_end <= 0) return next = -1;
  }
  return next = (unsigned char)input[input_at++];
}

static int take(void) {
  const int c = peek();
  next = -2;
  if (c == '\n') {
    line++;
    column = 1;
  } else {
    column++;
  }
  return c;
}

static void put_error(const char *text) { write(2, text, strlen(text)); }

static void put_error_number(int n) {
  char digits[12];
  int at = sizeof digits;
  digits[--at] = 0;
  do digits[--at] = (char)('0' + n % 10);
  while ((n /= 10) != 0);
  put_error(digits + at);
}

static void fail(const char *what) {
  flush();
  put_error("\nline ");
  put_error_number(line);
  put_error(", column ");
  put_error_number(column);
  put_error(": expected ");
  put_error(what);
  put_error("\n");
  _Exit(1);
}

static void skip_space(void) {
  while (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r') take();
}

static void new_line(void) {
  put('\n');
  for (int i = 0; i < 2 * depth; i++) put(' ');
}

static void string(void) {
  if (peek() != '"') fail("a string");
  put(take());
  while (peek() != '"') {
    if (peek() < ' ') fail("the end of a string");
    if (peek() == '\\') put(take());
    put(take());
  }
  put(take());
}

static void word(void) {
  if (peek() != '-' && (peek() < '0' || peek() > '9') && (peek() < 'a' || peek() > 'z')) fail("a value");
  while (peek() > ' ' && !strchr(",]}:", peek())) put(take());
}

static void value(void);

// An array, or an object, whose parts have names.
static void parts(int end, int named) {
  put(take());
  depth++;
  skip_space();
  if (peek() == end) {
    put(take());
    depth--;
    return;
  }
  for (;;) {
    new_line();
    if (named) {
      string();
      skip_space();
      if (peek() != ':') fail(":");
      put(take());
      put(' ');
    }
    value();
    if (peek() == end) break;
    if (peek() != ',') fail(named ? ", or }" : ", or ]");
    put(take());
    skip_space();
  }
  depth--;
  new_line();
  put(take());
}

static void value(void) {
  skip_space();
  if (peek() == '[') parts(']', 0);
  else if (peek() == '{') parts('}', 1);
  else if (peek() == '"') string();
  else word();
  skip_space();
}

int main(void) {
  value();
  if (peek() != -1) fail("the end");
  put('\n');
  flush();
  return 0;
}
