#include "host_threads.h"

#include <pthread.h>

#include <csignal>
#include <new>
#include <system_error>

#include "floating_point.h"
#include "stay.h"

namespace comet {

#ifdef COMET_REFERENCE_ONLY

HostThreads::~HostThreads() = default;

#else

namespace {

// Looks before a thread goes to sleep: about what waking it up costs.
constexpr unsigned looks_awake = 500;

// Somebody has to look at requests to stop, and at what comes from outside.
constexpr std::uint64_t nanoseconds_a_round = 1'000'000;

void pause_briefly() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

// By which this process comes from others. To ask for its number is a system call.
std::atomic<unsigned> forks = 0;

void count_forks() {
  // beyond tests: another thread has to come to it at the same time
  static const int counted = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  if (counted != 0) throw std::bad_alloc(); // beyond tests: the system's own memory has to end
}

// Signals are for the threads that the embedder knows: those that are made meanwhile get none.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &saved_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t saved_;
};

} // namespace

HostThreads::~HostThreads() { end_from(0); }

std::size_t HostThreads::count() noexcept {
  if (made_behind_ != forks.load(std::memory_order_relaxed)) { // beyond tests: in a child process, whose counts are lost
    // beyond tests: in a child process. Nobody can join them.
    for (auto& left_behind : threads_) left_behind.release();
    threads_.clear();
  }
  return threads_.size();
}

void HostThreads::end_from(std::size_t first) noexcept {
  for (; count() > first; threads_.pop_back()) {
    set(*threads_.back(), ending);
    threads_.back()->thread.join();
  }
}

void HostThreads::set_count(std::size_t count) {
  end_from(count);
  if (count == 0) return;
  count_forks();
  // beyond tests: of std::atomic: whether it is computed while compiling
  made_behind_ = forks.load(std::memory_order_relaxed);
  try {
    const NoSignals scope;
    while (threads_.size() < count) {
      threads_.reserve(threads_.size() + 1);
      auto made = std::make_unique<HostThread>();
      made->thread = std::thread([this, mine = made.get()] { work(*mine); });
      threads_.push_back(std::move(made));
      await_other(threads_.back()->state, starting);
    }
  } catch (const std::system_error&) {
    // Fewer do the same, later.
  }
}

void HostThreads::run(Stay* stays, std::size_t count) noexcept {
  hold_.store(false, std::memory_order_relaxed);
  for (std::size_t i = 1; i < count; ++i) {
    threads_[i - 1]->stay = &stays[i];
    set(*threads_[i - 1], running);
  }
  stays[0].run(hold_, monotonic_now() + nanoseconds_a_round);
  hold_.store(true, std::memory_order_relaxed);
  for (std::size_t i = 1; i < count; ++i) await_other(threads_[i - 1]->state, running);
}

void HostThreads::work(HostThread& mine) noexcept {
  const FloatingPointScope scope;
  set(mine, idle);
  while (await_other(mine.state, idle) != ending) {
    mine.stay->run(hold_);
    hold_.store(true, std::memory_order_relaxed);
    set(mine, idle);
  }
}

std::uint32_t HostThreads::await_other(const std::atomic<std::uint32_t>& state, std::uint32_t than) noexcept {
  for (unsigned look = 0; look < looks_awake; ++look) {
    // beyond tests: of std::atomic: whether it is computed while compiling
    const std::uint32_t seen = state.load(std::memory_order_acquire);
    if (seen != than) return seen;
    pause_briefly();
  }
  state.wait(than, std::memory_order_acquire);
  return state.load(std::memory_order_acquire); // beyond tests: of std::atomic: whether it is computed while compiling
}

void HostThreads::set(HostThread& other, State state) noexcept {
  // beyond tests: of std::atomic: whether it is computed while compiling
  other.state.store(state); // and only then is it looked whether somebody sleeps
  other.state.notify_one();
}

#endif

} // namespace comet
