// Holds the runner's fence to what it says: does each of these in a process of its own, behind the fence, and looks how
// that ended. With arguments instead: executes them where the kernel refuses a fence.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "../../vm-ext/runner/confine.h"

namespace {

char page[4096];
comet::runner::Fences fences;

struct Attempt {
  const char* what;
  bool allowed;
  void (*make)();
  bool with_files = false;  // "/" for reading
};

const Attempt attempts[] = {
    {"write to what is open", true, [] { if (write(2, "", 0) != 0) _exit(1); }},
    {"wait", true, [] { poll(nullptr, 0, 1); }},
    {"take memory", true, [] { free(calloc(1, size_t{1} << 22)); }},
    {"tell the time", true, [] { timespec now; clock_gettime(CLOCK_MONOTONIC, &now); }},
    {"ask how a descriptor was opened", true, [] { fcntl(0, F_GETFL); }},
    {"ask whether a descriptor is a terminal", true, [] { isatty(0); }},
    {"ask what a descriptor is", true, [] { struct stat information; if (fstat(0, &information) != 0) _exit(1); }},
    {"set up a terminal", false, [] { int line = 0; ioctl(0, TIOCSETD, &line); }},
    {"open a file where directories were granted", true, [] { if (open("/", O_RDONLY) < 0) _exit(1); }, true},
    {"write where reading was granted", true, [] {
       const int file = open("confined-by-landlock", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
       if (fences.landlock && (file >= 0 || errno != EACCES)) _exit(1);
     }, true},
    {"make another process there", false, [] { fork(); }, true},
    {"change its owner", false, [] { chown("/nowhere", 0, 0); }, true},
    {"open a file", false, [] { open("/etc/passwd", O_RDONLY); }},
    {"look at a file", false, [] { struct stat information; stat("/etc/passwd", &information); }},
    {"make another process", false, [] { fork(); }},
    {"execute a program", false, [] { execl("/bin/true", "true", nullptr); }},
    {"make a connection", false, [] { socket(AF_INET, SOCK_STREAM, 0); }},
    {"map memory for code", false, [] { mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }},
    {"turn memory into code", false, [] { mprotect(page, 4096, PROT_READ | PROT_EXEC); }},
    {"pass on a descriptor", false, [] { dup(0); }},
    {"change a descriptor", false, [] { fcntl(0, F_SETFL, O_NONBLOCK); }},
    {"signal another process", false, [] { kill(getppid(), 0); }},
    {"watch another process", false, [] { syscall(SYS_ptrace, 0, 0, 0, 0); }},
    {"take the fence down", false, [] { prctl(PR_SET_SECCOMP, 0); }},
#ifdef __x86_64__
    {"call as a 32-bit program", false, [] { int number = 20; __asm__ volatile("int $0x80" : "+a"(number) : : "memory"); }},
#endif
};

bool ends_as_it_should(const Attempt& attempt) {
  const pid_t child = fork();
  if (child == 0) {
    std::vector<comet::runner::Directory> directories;
    if (attempt.with_files) directories.push_back({"/", "/", true});
    fences = comet::runner::confine(directories);
    attempt.make();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const bool went_well = attempt.allowed ? WIFEXITED(status) && WEXITSTATUS(status) == 0
                                         : WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
  if (!went_well) std::printf("%s: status 0x%x\n", attempt.what, status);
  return went_well;
}

// prctl gives EPERM from here on.
void refuse_fences() {
  sock_filter code[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_prctl},
                        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
                        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  const sock_fprog program{4, code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) {
    refuse_fences();
    execv(arguments[1], arguments + 1);
    return 127;
  }
  bool all = true;
  for (const Attempt& attempt : attempts) all = ends_as_it_should(attempt) && all;
  return all ? 0 : 1;
}
