// What a C program does with files, printed: below `.`, which it may change, and in `/ro`, which it may only read.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void say(const char *what, int result) {
  if (result < 0) printf("%s: %s\n", what, strerror(errno));
  else printf("%s: %d\n", what, result);
}

static void try_to_open(const char *path, const char *mode) {
  FILE *file = fopen(path, mode);
  char line[64] = "";
  if (file && fgets(line, sizeof line, file)) printf("%s: %s", path, line);
  else printf("%s: %s\n", path, strerror(errno));
  if (file) fclose(file);
}

static void streams(void) {
  char line[64];
  FILE *file = fopen("out.txt", "w");
  for (int i = 0; i < 1000; ++i) fprintf(file, "line %d\n", i);
  fclose(file);
  file = fopen("out.txt", "r+");
  fseek(file, -9, SEEK_END);
  printf("last: %s", fgets(line, sizeof line, file));
  printf("at %ld\n", ftell(file));
  rewind(file);
  fputs("LINE", file);
  fclose(file);
  file = fopen("out.txt", "a");
  fputs("appended\n", file);
  fclose(file);
  struct stat status;
  say("stat", stat("out.txt", &status));
  printf("%lld bytes, a file: %d\n", (long long)status.st_size, S_ISREG(status.st_mode));
}

static void names(void) {
  char target[100];
  say("mkdir", mkdir("sub", 0777));
  say("mkdir again", mkdir("sub", 0777));
  say("rename", rename("out.txt", "sub/moved.txt"));
  say("symlink", symlink("sub/moved.txt", "link"));
  say("symlink that leads out", symlink("../../etc/passwd", "evil"));
  const ssize_t length = readlink("link", target, sizeof target);
  printf("readlink: %.*s\n", (int)length, target);
  DIR *directory = opendir(".");
  for (struct dirent *entry; (entry = readdir(directory));) printf("entry %s %d\n", entry->d_name, entry->d_type);
  closedir(directory);
}

static void limits(void) {
  try_to_open("link", "r");
  try_to_open("../../etc/passwd", "r");
  try_to_open("/etc/passwd", "r");
  try_to_open("etc/passwd", "r");
  try_to_open("/ro/page", "r");
  try_to_open("/ro/new", "w");
  try_to_open("/ro/page", "r+");
  say("unlink", unlink("/ro/page"));
}

static void descriptors(void) {
  char bytes[100];
  const int file = open("sub/moved.txt", O_RDWR);
  say("ftruncate", ftruncate(file, 10));
  say("pread", (int)pread(file, bytes, sizeof bytes, 4));
  say("pwrite", (int)pwrite(file, "XY", 2, 0));
  say("access mode", fcntl(file, F_GETFL) & O_ACCMODE);
  say("posix_fallocate", posix_fallocate(file, 12, 8));
  say("where it is", (int)lseek(file, 0, SEEK_CUR));
  say("how long it is", (int)lseek(file, 0, SEEK_END));
  say("posix_fallocate inside", posix_fallocate(file, 0, 5));
  say("how long it stays", (int)lseek(file, 0, SEEK_END));
  say("posix_fallocate of nothing", posix_fallocate(file, 0, 0) == EINVAL);
  say("posix_fallocate of none", posix_fallocate(99, 0, 5) == EBADF);
  say("close", close(file));
  say("unlink", unlink("sub/moved.txt") + unlink("link"));
  say("rmdir", rmdir("sub"));
}

int main(int count, char **arguments) {
  printf("%d arguments, the last %s; A is %s\n", count, arguments[count - 1], getenv("A"));
  streams();
  names();
  limits();
  descriptors();
  const struct timespec moment = {0, 1000000};
  say("nanosleep", nanosleep(&moment, NULL));
  struct pollfd input = {0, POLLIN, 0};
  say("poll", poll(&input, 1, 1000));
  return 7;
}
