// What the programs in C of this folder begin with: no library, one import, and a number to print.
typedef unsigned char u8;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;
// A function stays one, so that calls are in the profile.
#define NOINLINE __attribute__((noinline))

struct piece {
  const char* bytes;
  u32 length;
};
__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write"))) u32 fd_write(u32 descriptor, const struct piece* pieces,
                                                                                               u32 count, u32* written);

static u32 run(void);

__attribute__((export_name("_start"))) void start(void) {
  static char digits[12];
  u32 number = run(), at = sizeof digits, written;
  digits[--at] = '\n';
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  const struct piece piece = {digits + at, sizeof digits - at};
  fd_write(1, &piece, 1, &written);
}
