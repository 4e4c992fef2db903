#include "confine.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COMET_NO_FENCE
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COMET_NO_FENCE
#endif
#endif

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__)) && !defined(COMET_NO_FENCE)

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace comet::runner {
namespace {

#ifdef __x86_64__
constexpr uint32_t architecture = AUDIT_ARCH_X86_64;
#else
constexpr uint32_t architecture = AUDIT_ARCH_AARCH64;
#endif

// Descriptors that are open; time; memory without code; signals; the end.
constexpr int allowed[] = {
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_ppoll,          SYS_read,          SYS_write,           SYS_writev,       SYS_close,
    SYS_clock_gettime,  SYS_gettimeofday,  SYS_clock_nanosleep, SYS_nanosleep,    SYS_restart_syscall,
    SYS_munmap,         SYS_mremap,        SYS_madvise,         SYS_brk,          SYS_futex,
    SYS_rt_sigaction,   SYS_rt_sigprocmask, SYS_rt_sigpending,  SYS_rt_sigtimedwait, SYS_rt_sigreturn,
    SYS_sigaltstack,    SYS_getrandom,     SYS_sched_yield,     SYS_exit,         SYS_exit_group,   SYS_fstat,
};

constexpr int allowed_with_files[] = {
#ifdef SYS_openat2
    SYS_openat2,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
    SYS_openat,   SYS_newfstatat, SYS_statx,     SYS_lseek,      SYS_pread64,    SYS_pwrite64,
    SYS_fsync,    SYS_ftruncate,  SYS_getdents64, SYS_mkdirat,   SYS_unlinkat,   SYS_renameat2,  SYS_linkat,
    SYS_symlinkat, SYS_readlinkat, SYS_utimensat, SYS_fcntl,
};

// The low half of argument n: on these processors, little-endian, it comes first.
constexpr uint32_t argument(unsigned n) {
  return static_cast<uint32_t>(offsetof(seccomp_data, args) + n * sizeof(uint64_t));
}

class Filter {
 public:
  explicit Filter(bool files) {
    load(offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0);
    kill();
    load(offsetof(seccomp_data, nr));
    allow_all(allowed);
    if (files) allow_all(allowed_with_files);
    for (const int call : {SYS_mmap, SYS_mprotect}) allow_if(call, 2, BPF_JSET, PROT_EXEC, false);
    allow_if(SYS_fcntl, 1, BPF_JEQ, F_GETFL, true);
    // What a descriptor is: fstat, as the C library may do it, and isatty.
    allow_if(SYS_newfstatat, 3, BPF_JEQ, AT_EMPTY_PATH, true);
    allow_if(SYS_ioctl, 1, BPF_JEQ, TCGETS, true);
    kill();
  }

  const std::vector<sock_filter>& code() const { return code_; }

 private:
  void add(unsigned operation, uint32_t value, uint8_t when_true, uint8_t when_false) {
    code_.push_back({static_cast<uint16_t>(operation), when_true, when_false, value});
  }
  void load(size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset), 0, 0); }
  void allow() { add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0); }
  void kill() { add(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0); }
  void allow_all(std::span<const int> calls) {
    for (const int call : calls) {
      add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1);
      allow();
    }
  }
  // Allows `call` when a comparison of its argument comes out as `wanted`, and else kills.
  void allow_if(int call, unsigned n, unsigned comparison, uint32_t value, bool wanted) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 4);
    load(argument(n));
    add(BPF_JMP | comparison | BPF_K, value, wanted ? 0 : 1, wanted ? 1 : 0);
    allow();
    kill();
  }

  std::vector<sock_filter> code_;
};

constexpr uint64_t execute_right = 1, read_rights = 4 | 8;  // of files, of directories

// Nothing beneath other directories can be opened or changed any more, and nothing changed where reading was granted.
// Version 1 of the kernel's interface would forbid to move files from one directory to another.
bool restrict_files(const std::vector<Directory>& directories) {
#ifdef SYS_landlock_create_ruleset
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, 1);
  if (version < 2) return false;
  // All that it knows of files: thirteen rights, to move them elsewhere, to cut them.
  const uint64_t rights = (uint64_t{1} << (version == 2 ? 14 : 15)) - 1;
  const int rules = static_cast<int>(syscall(SYS_landlock_create_ruleset, &rights, sizeof rights, 0));
  if (rules < 0) return false;
  bool done = true;
  for (const Directory& directory : directories) {
    struct [[gnu::packed]] {
      uint64_t allowed;
      int32_t parent;
    } rule{directory.read_only ? read_rights : rights & ~execute_right, open(directory.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    done = done && rule.parent >= 0 && syscall(SYS_landlock_add_rule, rules, 1, &rule, 0) == 0;
    if (rule.parent >= 0) close(rule.parent);
  }
  done = done && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
  close(rules);
  return done;
#else
  static_cast<void>(directories);
  return false;
#endif
}

std::string refusal(const char* what) {
  return std::string("the system does not confine the runner (") + what + ": " + std::strerror(errno) +
         "); the machine's own protection stands. --no-confine does not ask for it";
}

}  // namespace

Fences confine(const std::vector<Directory>& directories, const std::function<void()>& make_threads) {
  Fences fences;
  const Filter filter(!directories.empty());
  sock_fprog program{static_cast<unsigned short>(filter.code().size()), const_cast<sock_filter*>(filter.code().data())};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    fences.refusal = refusal("no_new_privs");
    make_threads();
    return fences;
  }
  fences.landlock = restrict_files(directories); // which the threads inherit
  make_threads();
  fences.seccomp = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
  if (!fences.seccomp) fences.refusal = refusal("seccomp");
  return fences;
}

}  // namespace comet::runner

#else

namespace comet::runner {
Fences confine(const std::vector<Directory>&, const std::function<void()>& make_threads) {
  make_threads();
  return {};
}
}  // namespace comet::runner

#endif
