// The standard host calls, written as any embedder's host calls are: callbacks over comet_call_*.
//
// The order within a call is always: check the arguments, check the guest's memory, touch the host, write
// the result. So a bad pointer traps before any input is consumed or any output is made.
#include "standard.h"

#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <new>

#include "host_state.h"

namespace comet {
namespace {

// Results of calls that fail. The numbers are those that Linux gives the same errors, so that they look
// familiar; they are the same on every host.
constexpr int64_t error_input_output = -5;
constexpr int64_t error_bad_stream = -9;
constexpr int64_t error_no_memory = -12;
constexpr int64_t error_exists = -17;
constexpr int64_t error_bad_argument = -22;
constexpr int64_t error_closed = -32;

constexpr int wait_milliseconds = 10;

// What a pipe takes without blocking once it can be written at all. Writing no more than that at a time
// keeps a program that writes to a slow reader open to interruption.
constexpr size_t write_length = PIPE_BUF;

comet_status result(comet_call* call, int64_t value) {
  comet_call_result(call, static_cast<uint64_t>(value));
  return COMET_OK;
}

HostState& state_of(comet_call* call) { return host_state(comet_call_machine(call)); }

enum class Wait { ready, stop, failed };

// What a failed system call gives the guest.
int64_t error_of(int system_error) {
  switch (system_error) {
    case EBADF: return error_bad_stream;
    case EPIPE: return error_closed;
    default: return error_input_output;
  }
}

// Whether what failed has only to be tried once more.
bool again(int error) { return error == EINTR || error == EAGAIN || error == EWOULDBLOCK; }

// Whether a descriptor is open in the other direction only. Reading and writing would say so, but poll waits
// on such a pipe for ever.
bool leads_the_other_way(int descriptor, short events) {
  const int flags = fcntl(descriptor, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) == (events == POLLIN ? O_WRONLY : O_RDONLY);
}

// Waits until a descriptor can be read or written; errno says why where it cannot. In slices, so that
// neither comet_interrupt from another thread nor a deadline needs a signal to be seen.
Wait wait_for(comet_machine* machine, int descriptor, short events) {
  for (;;) {
    pollfd waiting{descriptor, events, 0};
    const int count = poll(&waiting, 1, wait_milliseconds);
    if (count > 0 && (waiting.revents & POLLNVAL) == 0) return Wait::ready;
    if (count < 0 && !again(errno)) return Wait::failed;
    if (count > 0 || leads_the_other_way(descriptor, events)) {
      errno = EBADF;
      return Wait::failed;
    }
    if (host_stop_requested(machine)) return Wait::stop;
  }
}

// Whether SIGPIPE would end the process. A handler of the process is its own wish and is let run.
bool pipe_signal_is_deadly() {
  struct sigaction action {};
  return sigaction(SIGPIPE, nullptr, &action) == 0 && (action.sa_flags & SA_SIGINFO) == 0 &&
         action.sa_handler == SIG_DFL;
}

// write(2) that gives EPIPE for a closed pipe without ending the process: the library is a guest there and
// may not change what the process does about signals either, so the signal is held back and taken away.
ssize_t write_safely(int descriptor, const void* bytes, size_t length) {
  if (!pipe_signal_is_deadly()) return write(descriptor, bytes, length);
  sigset_t pipe_signal, before, pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  sigemptyset(&pending);
  sigpending(&pending);
  const bool was_pending = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t written = write(descriptor, bytes, length);
  const int error = errno;
  if (written < 0 && error == EPIPE && !was_pending) {
    sigpending(&pending);
    int signal_number = 0;
    if (sigismember(&pending, SIGPIPE) == 1) sigwait(&pipe_signal, &signal_number);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

constexpr uint64_t looking_length = 16 * write_length;

// The descriptor of a stream, or nothing when the call is answered already: `answer` is what to return.
std::optional<int> stream_descriptor(comet_call* call, const HostState& state, comet_status& answer) {
  const uint64_t stream = comet_call_argument(call, 0);
  const int descriptor = stream < state.streams.size() ? state.streams[static_cast<size_t>(stream)] : -1;
  if (descriptor == COMET_STREAM_EMBEDDER) {
    answer = COMET_ERROR_STATE;
    return std::nullopt;
  }
  if (descriptor < 0) {
    answer = result(call, error_bad_stream);
    return std::nullopt;
  }
  return descriptor;
}

comet_status interrupted(HostState& state) {
  state.interrupted = true;
  return COMET_OK;
}

// ---- exit ------------------------------------------------------------------------------------------

comet_status call_exit(comet_call* call, void*) {
  state_of(call).exit_status = static_cast<int64_t>(comet_call_argument(call, 0));
  return COMET_OK;
}

// ---- streams ---------------------------------------------------------------------------------------

comet_status call_read(comet_call* call, void*) {
  HostState& state = state_of(call);
  comet_status answer = COMET_OK;
  const std::optional<int> descriptor = stream_descriptor(call, state, answer);
  if (!descriptor) return answer;

  const uint64_t address = comet_call_argument(call, 1);
  const size_t length =
      static_cast<size_t>(std::min<uint64_t>(comet_call_argument(call, 2), HostState::buffer_length));
  if (length == 0) return result(call, 0);
  if (const comet_status status = host_check(call, address, length, COMET_WRITE); status != COMET_OK)
    return status;
  if (!state.buffer) {
    state.buffer.reset(new (std::nothrow) uint8_t[HostState::buffer_length]);
    if (!state.buffer) return comet_call_fail(call, "the host has no memory for a read buffer");
  }

  for (;;) {
    switch (wait_for(comet_call_machine(call), *descriptor, POLLIN)) {
      case Wait::stop: return interrupted(state);
      case Wait::failed: return result(call, error_of(errno));
      case Wait::ready: break;
    }
    const ssize_t count = read(*descriptor, state.buffer.get(), length);
    if (count >= 0) {
      comet_status status = COMET_OK;
      if (count > 0) status = comet_call_write(call, address, state.buffer.get(), static_cast<size_t>(count));
      if (status != COMET_OK) return status;
      return result(call, count);
    }
    if (!again(errno)) return result(call, error_of(errno));
    if (host_stop_requested(comet_call_machine(call))) return interrupted(state);
  }
}

comet_status call_write(comet_call* call, void*) {
  HostState& state = state_of(call);
  comet_status answer = COMET_OK;
  const std::optional<int> descriptor = stream_descriptor(call, state, answer);
  if (!descriptor) return answer;

  const uint64_t address = comet_call_argument(call, 1);
  const uint64_t length = comet_call_argument(call, 2);
  if (length == 0) return result(call, 0);
  if (const comet_status status = host_check(call, address, length, COMET_READ); status != COMET_OK)
    return status;

  uint8_t bytes[write_length];
  uint64_t done = 0;
  while (done < length) {
    const Wait wait = wait_for(comet_call_machine(call), *descriptor, POLLOUT);
    int error = wait == Wait::failed ? errno : EINTR;
    if (wait == Wait::ready) {
      const size_t count = static_cast<size_t>(std::min<uint64_t>(length - done, write_length));
      const comet_status status = comet_call_read(call, address + done, bytes, count);
      if (status != COMET_OK) return status;
      const ssize_t written = write_safely(*descriptor, bytes, count);
      error = errno;
      if (written >= 0) {
        const uint64_t before = done;
        done += static_cast<uint64_t>(written);
        // Where nothing makes it wait, a long write asks now and then all the same.
        if (before / looking_length != done / looking_length && host_stop_requested(comet_call_machine(call))) break;
        continue;
      }
      if (again(error) && !host_stop_requested(comet_call_machine(call))) continue;
    }
    // What went out before counts; an error comes back with the next write.
    if (done > 0) break;
    return again(error) ? interrupted(state) : result(call, error_of(error));
  }
  return result(call, static_cast<int64_t>(done));
}

// ---- arguments -------------------------------------------------------------------------------------

comet_status call_arg_count(comet_call* call, void*) {
  return result(call, static_cast<int64_t>(state_of(call).arguments.size()));
}

comet_status call_arg(comet_call* call, void*) {
  const std::vector<std::string>& arguments = state_of(call).arguments;
  const uint64_t number = comet_call_argument(call, 0);
  if (number >= arguments.size()) return result(call, error_bad_argument);
  const std::string& argument = arguments[static_cast<size_t>(number)];
  const size_t length =
      static_cast<size_t>(std::min<uint64_t>(argument.size(), comet_call_argument(call, 2)));
  if (length > 0) {
    const comet_status status = comet_call_write(call, comet_call_argument(call, 1), argument.data(), length);
    if (status != COMET_OK) return status;
  }
  return result(call, static_cast<int64_t>(argument.size()));
}

// ---- clock and randomness --------------------------------------------------------------------------

comet_status call_clock(comet_call* call, void*) {
  clockid_t clock = CLOCK_REALTIME;
  switch (comet_call_argument(call, 0)) {
    case 0: break;
    case 1: clock = CLOCK_MONOTONIC; break;
    default: return result(call, error_bad_argument);
  }
  timespec now{};
  if (clock_gettime(clock, &now) != 0) return result(call, error_input_output);
  return result(call, static_cast<int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec);
}

comet_status call_random(comet_call* call, void*) {
  uint8_t bytes[1024];
  static_assert(HostState::buffer_length % sizeof bytes == 0);
  const uint64_t address = comet_call_argument(call, 0);
  const uint64_t length = std::min<uint64_t>(comet_call_argument(call, 1), HostState::buffer_length);
  if (length == 0) return result(call, 0);
  if (const comet_status status = host_check(call, address, length, COMET_WRITE); status != COMET_OK)
    return status;
  Random& random = state_of(call).random;
  for (uint64_t done = 0; done < length;) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(length - done, sizeof bytes));
    try {
      random.fill(bytes, count);
    } catch (const std::exception& exception) {
      return comet_call_fail(call, exception.what());
    }
    if (const comet_status status = comet_call_write(call, address + done, bytes, count); status != COMET_OK)
      return status;
    done += count;
  }
  return result(call, static_cast<int64_t>(length));
}

// ---- memory ----------------------------------------------------------------------------------------

comet_status call_map(comet_call* call, void*) {
  const uint64_t address = comet_call_argument(call, 0), length = comet_call_argument(call, 1);
  if ((address | length) % COMET_PAGE_SIZE != 0) return result(call, error_bad_argument);
  if (length == 0) return result(call, 0);
  if (length - 1 > UINT64_MAX - address) return result(call, error_bad_argument);
  comet_machine* const machine = comet_call_machine(call);
  comet_thread_info thread = COMET_THREAD_INFO_INIT;
  comet_thread_get(machine, comet_call_thread(call), &thread, nullptr);
  comet_region region = COMET_REGION_INIT;
  if (comet_next_region(machine, thread.space, address, &region, nullptr) == COMET_OK &&
      region.address <= address + (length - 1))
    return result(call, error_exists);
  const bool mapped =
      comet_map(machine, thread.space, address, length, COMET_READ | COMET_WRITE, nullptr) == COMET_OK;
  return result(call, mapped ? 0 : error_no_memory);
}

constexpr StandardCall standard_calls[] = {
    {"exit", "exit", call_exit},       {"streams", "read", call_read},
    {"streams", "write", call_write},  {"arguments", "arg_count", call_arg_count},
    {"arguments", "arg", call_arg},    {"clock", "clock", call_clock},
    {"random", "random", call_random}, {"memory", "map", call_map},
};

// Calls `what` with each call of a group and whether it is an internal one; whether there was any.
template <class What>
bool for_group(std::string_view group, What&& what) {
  bool found = false;
  const auto look = [&](const StandardCall& call, bool internal) {
    if (call.group != group) return;
    found = true;
    what(call, internal);
  };
  for (const StandardCall& call : standard_calls) look(call, false);
  for (const StandardCall& call : internal_calls) look(call, true);
  return found;
}

}  // namespace

bool grant_standard(HostTable& table, std::string_view group) {
  return for_group(group, [&](const StandardCall& call, bool internal) { table.grant(call.name, {call.function, nullptr, internal}); });
}

bool revoke_standard(HostTable& table, std::string_view group) {
  return for_group(group, [&](const StandardCall& call, bool) { table.revoke(call.name); });
}

void grant_default(HostTable& table) {
  for (const std::string_view group : {"exit", "streams", "arguments", "memory", "threads", "events"}) grant_standard(table, group);
}

}  // namespace comet
