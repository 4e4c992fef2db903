// Every function of WASI preview 1, called as it is: the number that it gives, for what goes well and for what does not.
// Below `.` (descriptor 3) there is `hello`, a directory `d`, and links that lead out; `/ro` (4) may only be read.
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

#define SHOW(call) printf("%s: %d\n", #call, call)
#define RIGHTS (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE)

__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int proc_raise(int);

static uint8_t bytes[2000];
static __wasi_size_t size;
static __wasi_filesize_t place;
static __wasi_fd_t fd, directory;
static __wasi_filestat_t status;
static __wasi_fdstat_t fdstat;
static __wasi_timestamp_t now;
static __wasi_ciovec_t out = {(const uint8_t *)"abcdef", 6};
static __wasi_iovec_t in = {bytes, 6};

static __wasi_errno_t open_as(__wasi_fd_t where, const char *path, int oflags, __wasi_rights_t rights, int fdflags) {
  return __wasi_path_open(where, 0, path, oflags, rights, 0, fdflags, &fd);
}

static void opening(void) {
  SHOW(open_as(3, "none", 0, RIGHTS, 0));
  SHOW(open_as(3, "", 0, RIGHTS, 0));
  SHOW(open_as(3, "new", __WASI_OFLAGS_CREAT, RIGHTS, 0));
  SHOW(__wasi_fd_close(fd));
  SHOW(open_as(3, "new", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, RIGHTS, 0));
  SHOW(open_as(3, "new", __WASI_OFLAGS_DIRECTORY, 0, 0));
  SHOW(open_as(3, "new/", 0, RIGHTS, 0));
  SHOW(open_as(3, "e", __WASI_OFLAGS_DIRECTORY | __WASI_OFLAGS_CREAT, 0, 0));
  SHOW(open_as(3, "d", 0, RIGHTS, 0));
  SHOW(open_as(3, "link", 0, RIGHTS, 0));
  SHOW(__wasi_path_open(3, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "link", 0, RIGHTS, 0, 0, &fd));
  SHOW(__wasi_fd_close(fd));
  SHOW(__wasi_path_open(3, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "out", 0, RIGHTS, 0, 0, &fd));
  SHOW(__wasi_path_open(3, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "out/new", __WASI_OFLAGS_CREAT, RIGHTS, 0, 0, &fd));
  SHOW(__wasi_path_open(3, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "dangling", __WASI_OFLAGS_CREAT, RIGHTS, 0, 0, &fd));
  SHOW(open_as(3, "../secret", 0, RIGHTS, 0));
  SHOW(open_as(3, "d/../../secret", 0, RIGHTS, 0));
  SHOW(open_as(3, "/etc/passwd", 0, RIGHTS, 0));
  SHOW(open_as(4, "new", __WASI_OFLAGS_CREAT, RIGHTS, 0));
  SHOW(open_as(4, "page", __WASI_OFLAGS_TRUNC, __WASI_RIGHTS_FD_READ, 0));
  SHOW(open_as(4, "page", 0, RIGHTS, 0));
  SHOW(open_as(1, "new", 0, RIGHTS, 0));
  SHOW(open_as(99, "new", 0, RIGHTS, 0));
}

static void files(void) {
  SHOW(open_as(3, "new", 0, RIGHTS, 0));
  SHOW(__wasi_fd_write(fd, &out, 1, &size));
  SHOW(__wasi_fd_seek(fd, -2, __WASI_WHENCE_CUR, &place));
  SHOW(__wasi_fd_tell(fd, &place));
  printf("at %d\n", (int)place);
  SHOW(__wasi_fd_seek(fd, -9, __WASI_WHENCE_SET, &place));
  SHOW(__wasi_fd_seek(fd, 0, 3, &place));
  SHOW(__wasi_fd_seek(1, 0, __WASI_WHENCE_CUR, &place));
  SHOW(__wasi_fd_tell(99, &place));
  SHOW(__wasi_fd_read(fd, &in, 1, &size));
  printf("%d read\n", (int)size);
  SHOW(__wasi_fd_pread(fd, &in, 1, 1, &size));
  printf("%d read\n", (int)size);
  SHOW(__wasi_fd_pwrite(fd, &out, 1, 8, &size));
  SHOW(__wasi_fd_pread(1, &in, 1, 0, &size));
  SHOW(__wasi_fd_pwrite(99, &out, 1, 0, &size));
  SHOW(__wasi_fd_advise(fd, 0, 10, __WASI_ADVICE_WILLNEED));
  SHOW(__wasi_fd_advise(fd, 0, 10, 6));
  SHOW(__wasi_fd_advise(1, 0, 10, 0));
  SHOW(__wasi_fd_advise(99, 0, 10, 0));
  SHOW(__wasi_fd_allocate(fd, 10, 10));
  SHOW(__wasi_fd_allocate(fd, 10, 0));
  SHOW(__wasi_fd_allocate(1, 0, 1));
  SHOW(__wasi_fd_datasync(fd));
  SHOW(__wasi_fd_sync(fd));
  SHOW(__wasi_fd_sync(99));
  SHOW(__wasi_fd_filestat_get(fd, &status));
  printf("%d bytes, kind %d, links %d\n", (int)status.size, status.filetype, (int)status.nlink);
  SHOW(__wasi_fd_filestat_set_size(fd, 7));
  SHOW(__wasi_fd_filestat_set_size(fd, -1));
  SHOW(__wasi_fd_filestat_set_size(4, 1));
  SHOW(__wasi_fd_filestat_set_times(fd, 5, 7, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
  SHOW(__wasi_fd_filestat_set_times(fd, 5, 7, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW));
  SHOW(__wasi_fd_filestat_get(fd, &status));
  printf("%d bytes, times %d %d\n", (int)status.size, (int)status.atim, (int)status.mtim);
}

static void descriptors(void) {
  SHOW(__wasi_fd_fdstat_get(fd, &fdstat));
  printf("kind %d, flags %d\n", fdstat.fs_filetype, fdstat.fs_flags);
  SHOW(__wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_APPEND));
  SHOW(__wasi_fd_fdstat_get(fd, &fdstat));
  printf("flags %d\n", fdstat.fs_flags);
  SHOW(__wasi_fd_fdstat_set_flags(99, 0));
  SHOW(__wasi_fd_fdstat_set_rights(fd, fdstat.fs_rights_base, fdstat.fs_rights_inheriting));
  SHOW(__wasi_fd_fdstat_set_rights(fd, 0, 0));
  SHOW(__wasi_fd_fdstat_set_rights(1, fdstat.fs_rights_base, 0));
  SHOW(__wasi_fd_fdstat_set_rights(99, 0, 0));
  SHOW(__wasi_fd_fdstat_get(1, &fdstat));
  printf("of a stream: %d, to seek %d, to write %d\n", fdstat.fs_filetype, (fdstat.fs_rights_base & __WASI_RIGHTS_FD_SEEK) != 0,
         (fdstat.fs_rights_base & __WASI_RIGHTS_FD_WRITE) != 0);
  const __wasi_fd_t old = fd;
  SHOW(open_as(3, "hello", 0, __WASI_RIGHTS_FD_READ, 0));
  SHOW(__wasi_fd_fdstat_get(fd, &fdstat));
  printf("to read %d, to write %d\n", (fdstat.fs_rights_base & __WASI_RIGHTS_FD_READ) != 0,
         (fdstat.fs_rights_base & __WASI_RIGHTS_FD_WRITE) != 0);
  SHOW(__wasi_fd_write(fd, &out, 1, &size));
  SHOW(__wasi_fd_allocate(fd, 0, 1));
  SHOW(__wasi_fd_renumber(fd, old));
  SHOW(__wasi_fd_renumber(fd, old));
  SHOW(__wasi_fd_renumber(old, 99));
  SHOW(__wasi_fd_read(old, &in, 1, &size));
  printf("%.5s\n", (char *)bytes);
  SHOW(__wasi_fd_close(old));
  SHOW(__wasi_fd_close(old));
  SHOW(__wasi_fd_prestat_get(3, &(__wasi_prestat_t){0}));
  SHOW(__wasi_fd_prestat_get(5, &(__wasi_prestat_t){0}));
  SHOW(__wasi_fd_prestat_dir_name(4, bytes, 3));
  SHOW(__wasi_fd_prestat_dir_name(4, bytes, 2));
}

static void names(void) {
  SHOW(__wasi_path_create_directory(3, "made"));
  SHOW(__wasi_path_create_directory(3, "made"));
  SHOW(__wasi_path_create_directory(4, "made"));
  SHOW(__wasi_path_create_directory(3, "../made"));
  SHOW(__wasi_path_open(3, 0, "made", __WASI_OFLAGS_DIRECTORY, __WASI_RIGHTS_FD_READDIR, -1, 0, &directory));
  SHOW(__wasi_path_rename(3, "new", directory, "moved"));
  SHOW(__wasi_path_rename(3, "none", directory, "moved"));
  SHOW(__wasi_path_rename(3, "hello/", 3, "x"));
  SHOW(__wasi_path_rename(directory, "moved", 3, "../moved"));
  SHOW(__wasi_path_rename(4, "page", 3, "page"));
  SHOW(__wasi_path_rename(3, "made", 3, "made/in"));
  SHOW(__wasi_path_link(3, 0, "hello", directory, "second"));
  SHOW(__wasi_path_link(3, 1, "hello", directory, "third"));
  SHOW(__wasi_path_link(3, 0, "hello/", directory, "third"));
  SHOW(__wasi_path_link(3, 0, "../secret", directory, "third"));
  SHOW(__wasi_path_link(3, 0, "d", directory, "third"));
  SHOW(__wasi_path_symlink("second", directory, "soft"));
  SHOW(__wasi_path_symlink("../../secret", directory, "evil"));
  SHOW(__wasi_path_symlink("/etc/passwd", directory, "evil"));
  SHOW(__wasi_path_readlink(directory, "soft", bytes, 3, &size));
  printf("%.*s\n", (int)size, (char *)bytes);
  SHOW(__wasi_path_readlink(directory, "second", bytes, 3, &size));
  SHOW(__wasi_path_filestat_get(directory, 0, "soft", &status));
  printf("kind %d\n", status.filetype);
  SHOW(__wasi_path_filestat_get(directory, 1, "soft", &status));
  printf("kind %d, links %d\n", status.filetype, (int)status.nlink);
  SHOW(__wasi_path_filestat_get(3, 1, "out", &status));
  SHOW(__wasi_path_filestat_set_times(directory, 1, "soft", 8, 9, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
  SHOW(__wasi_path_filestat_set_times(directory, 1, "soft", 8, 9, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW));
  SHOW(__wasi_path_filestat_get(directory, 0, "second", &status));
  printf("times %d %d\n", (int)status.atim, (int)status.mtim);
  SHOW(__wasi_fd_readdir(directory, bytes, sizeof bytes, 0, &size));
  __wasi_dirent_t entry;
  for (__wasi_size_t at = 0; at < size; at += sizeof entry + entry.d_namlen) {
    memcpy(&entry, bytes + at, sizeof entry);
    printf("%d %.*s %d\n", (int)entry.d_next, (int)entry.d_namlen, (char *)bytes + at + sizeof entry, entry.d_type);
  }
  SHOW(__wasi_fd_readdir(directory, bytes, 30, 3, &size));
  printf("%d of them\n", (int)size);
  SHOW(__wasi_fd_readdir(directory, bytes, 30, 5, &size));
  printf("%d of them\n", (int)size);
  SHOW(__wasi_fd_readdir(1, bytes, 30, 0, &size));
  SHOW(__wasi_path_unlink_file(directory, "soft/"));
  SHOW(__wasi_path_unlink_file(directory, "soft"));
  SHOW(__wasi_path_unlink_file(directory, "moved/"));
  SHOW(__wasi_path_unlink_file(directory, "moved"));
  SHOW(__wasi_path_unlink_file(3, "made"));
  SHOW(__wasi_path_unlink_file(4, "page"));
  SHOW(__wasi_path_remove_directory(3, "made"));
  SHOW(__wasi_path_unlink_file(directory, "second"));
  SHOW(__wasi_path_remove_directory(3, "hello"));
  SHOW(__wasi_path_remove_directory(3, "."));
  SHOW(__wasi_path_remove_directory(3, "made/"));
  SHOW(__wasi_fd_close(directory));
}

static void polling(void) {
  __wasi_subscription_t wanted[2] = {{.userdata = 1, .u = {.tag = __WASI_EVENTTYPE_CLOCK}},
                                     {.userdata = 2, .u = {.tag = __WASI_EVENTTYPE_FD_WRITE}}};
  __wasi_event_t events[2];
  wanted[0].u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
  wanted[0].u.u.clock.timeout = 1000000;
  wanted[1].u.u.fd_write.file_descriptor = 99;
  SHOW(__wasi_poll_oneoff(wanted, events, 1, &size));
  printf("%d: of %d, error %d, kind %d\n", (int)size, (int)events[0].userdata, events[0].error, events[0].type);
  SHOW(__wasi_poll_oneoff(wanted, events, 2, &size));
  printf("%d: of %d, error %d, kind %d\n", (int)size, (int)events[0].userdata, events[0].error, events[0].type);
  SHOW(__wasi_poll_oneoff(wanted, events, 0, &size));
}

static void the_rest(void) {
  __wasi_size_t count;
  SHOW(__wasi_args_sizes_get(&count, &size));
  printf("%d arguments\n", (int)count);
  uint8_t *texts[4];
  SHOW(__wasi_args_get(texts, bytes));
  printf("%s\n", texts[count - 1]);
  SHOW(__wasi_environ_sizes_get(&count, &size));
  printf("%d settings, %d bytes\n", (int)count, (int)size);
  SHOW(__wasi_environ_get(texts, bytes));
  printf("%s\n", texts[0]);
  for (int id = 0; id < 5; ++id) printf("clock %d: %d %d\n", id, __wasi_clock_res_get(id, &now), __wasi_clock_time_get(id, 1, &now));
  SHOW(__wasi_random_get(bytes, 20));
  SHOW(__wasi_sched_yield());
  SHOW(proc_raise(2));
  SHOW(__wasi_sock_accept(3, 0, &fd));
  SHOW(__wasi_sock_recv(99, &in, 1, 0, &size, &(__wasi_roflags_t){0}));
  SHOW(__wasi_sock_send(1, &out, 1, 0, &size));
  SHOW(__wasi_sock_shutdown(3, 0));
}

// As freopen does it: another file in the place of the output, which is then closed.
static void the_output(void) {
  fflush(stdout);
  (void)__wasi_path_open(3, 0, "log", __WASI_OFLAGS_CREAT, __WASI_RIGHTS_FD_WRITE, 0, 0, &fd);
  (void)__wasi_fd_renumber(fd, 1);
  SHOW(__wasi_fd_tell(1, &place));
  SHOW(__wasi_fd_filestat_get(1, &status));
  printf("kind %d\n", status.filetype);
  fflush(stdout);
  const __wasi_errno_t first = __wasi_fd_close(1), second = __wasi_fd_close(1), third = __wasi_fd_write(1, &out, 1, &size);
  fprintf(stderr, "%d %d %d\n", first, second, third);
}

int main(void) {
  opening();
  files();
  descriptors();
  names();
  polling();
  the_rest();
  the_output();
  __wasi_proc_exit(9);
}
