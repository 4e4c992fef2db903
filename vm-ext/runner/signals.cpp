#include "signals.h"

#include <atomic>
#include <csignal>

namespace comet::runner {
namespace {

std::atomic<comet_machine*> signalled_machine = nullptr;

constexpr int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGPIPE};
volatile std::sig_atomic_t seen[std::size(numbers)];

void note(int number) {
  for (size_t i = 0; i < std::size(numbers); ++i)
    if (numbers[i] == number) seen[i] = 1;
  if (comet_machine* machine = signalled_machine) comet_interrupt(machine);
}

// No SA_RESTART: a read that waits has to be told. A second Ctrl-C ends the runner in any case.
void lead(int number) {
  struct sigaction action {};
  sigemptyset(&action.sa_mask);
  action.sa_flags = number == SIGINT ? static_cast<int>(SA_RESETHAND) : 0;
  action.sa_handler = note;
  sigaction(number, &action, nullptr);
}

}  // namespace

Signals::Signals(comet_machine* machine) : machine_(machine) {
  signalled_machine = machine;
  for (const int number : numbers) {
    struct sigaction before {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN || number == SIGINT) lead(number);
  }
}

Signals::~Signals() { signalled_machine = nullptr; }

bool Signals::hand_on() {
  for (size_t i = 0; i < std::size(numbers); ++i) {
    if (!seen[i]) continue;
    seen[i] = 0;
    const int number = numbers[i];
    int handled = 0;
    const auto id = static_cast<uint64_t>(number);
    if (number != SIGPIPE) comet_event_handled(machine_, COMET_ON_SIGNAL, id, &handled, nullptr);
    if (handled == 0) {
      ending_ = number;
      return false;
    }
    lead(number);
    // Where the queue is full, as many wait already.
    comet_post_event(machine_, COMET_ON_SIGNAL, id, 0);
  }
  return true;
}

}  // namespace comet::runner
