// The library inside a host program that handles faults itself.
#include <csetjmp>
#include <csignal>
#include <cstring>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

using namespace support;

namespace {

sigjmp_buf after_fault;
volatile sig_atomic_t faults = 0;
void* volatile fault_address = nullptr;

void count_fault(int, siginfo_t* info, void*) {
  faults = faults + 1;
  fault_address = info->si_addr;
  siglongjmp(after_fault, 1);
}

// The host's own handler, put back as it was at the end.
class own_handler {
 public:
  own_handler() {
    struct sigaction action = {};
    action.sa_sigaction = count_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, &before_);
    faults = 0;
  }
  ~own_handler() { sigaction(SIGSEGV, &before_, nullptr); }

 private:
  struct sigaction before_ = {};
};

// A page that nobody may touch.
class forbidden_page {
 public:
  forbidden_page() : page_(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  ~forbidden_page() { munmap(page_, 4096); }
  void* get() const { return page_; }
  void touch() const {
    if (sigsetjmp(after_fault, 1) == 0) *static_cast<volatile char*>(page_) = 1;
  }

 private:
  void* page_;
};

// Faults inside the guest's window: a trap each.
void trap_often(machine& vm) {
  for (std::uint64_t n = 0; n < 20; ++n) {
    vm.restart(code_address);
    vm.set(1, 0x40000 + n * 0x8001);
    BOOST_CHECK_EQUAL(vm.run().trap, COMET_TRAP_READ);
  }
}

code loading() { return code().add("ldu64", {2, 1, 0}).add("halt"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(signals)

BOOST_AUTO_TEST_CASE(a_handler_installed_before_the_machine_still_gets_the_hosts_faults) {
  const own_handler handler;
  const forbidden_page page;
  machine vm(loading());
  trap_often(vm);
  BOOST_CHECK_EQUAL(faults, 0);
  page.touch();
  BOOST_CHECK_EQUAL(faults, 1);
  BOOST_CHECK(fault_address == page.get());
  trap_often(vm);
  page.touch();
  BOOST_CHECK_EQUAL(faults, 2);
}

BOOST_AUTO_TEST_CASE(a_handler_installed_after_the_machine_gets_the_hosts_faults) {
  const forbidden_page page;
  machine vm(loading());
  trap_often(vm);
  const own_handler handler;
  page.touch();
  BOOST_CHECK_EQUAL(faults, 1);
}

BOOST_AUTO_TEST_CASE(when_the_machine_is_gone_the_hosts_handler_is_still_there) {
  const own_handler handler;
  const forbidden_page page;
  {
    machine vm(loading());
    trap_often(vm);
  }
  page.touch();
  BOOST_CHECK_EQUAL(faults, 1);
}

BOOST_AUTO_TEST_CASE(a_fault_of_the_host_during_a_host_call_is_the_hosts) {
  const own_handler handler;
  static forbidden_page page;
  machine vm(code().add("hcall", {5, 0}).add("ldu64", {2, 1, 0}).add("halt"));
  vm.import("fault");
  SUPPORT_OK(comet_host_grant(
      vm, "fault",
      [](comet_call*, void*) {
        page.touch();
        return COMET_OK;
      },
      nullptr, error));
  vm.set(1, 0x40000);
  BOOST_CHECK_EQUAL(vm.run().trap, COMET_TRAP_READ);
  BOOST_CHECK_EQUAL(faults, 1);
}

#if !defined(__SANITIZE_ADDRESS__)
BOOST_AUTO_TEST_CASE(a_fault_that_nobody_handles_ends_the_process_as_ever) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    comet_machine* handle = nullptr;
    comet_machine_new(nullptr, &handle, nullptr);
    comet_stop stop = COMET_STOP_INIT;
    comet_run(handle, 0, 1, &stop, nullptr);
    *static_cast<volatile char*>(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) = 1;
    _exit(0);
  }
  int status = 0;
  BOOST_REQUIRE_EQUAL(waitpid(child, &status, 0), child);
  BOOST_CHECK(WIFSIGNALED(status));
  BOOST_CHECK_EQUAL(WTERMSIG(status), SIGSEGV);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
