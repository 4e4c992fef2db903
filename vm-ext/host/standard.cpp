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
#include <array>
#include <new>
#include <string>
#include <vector>

#include "call.h"
#include "file_calls.h"

namespace comet {

int64_t error_of(int system_error) {
  switch (system_error) {
    case EPERM: return error_not_permitted;
    case ENOENT: return error_not_found;
    case EBADF: return error_bad_stream;
    case ENOMEM: return error_no_memory;
    case EACCES: return error_access;
    case EBUSY: return error_busy;
    case EEXIST: return error_exists;
    case EXDEV: return error_other_device;
    case ENOTDIR: return error_not_directory;
    case EISDIR: return error_is_directory;
    case EINVAL: return error_bad_argument;
    case EMFILE:
    case ENFILE: return error_too_many_files;
    case EFBIG: return error_too_large;
    case EDQUOT:
    case ENOSPC: return error_no_space;
    case ESPIPE: return error_cannot_seek;
    case EROFS: return error_read_only;
    case EPIPE: return error_closed;
    case ENAMETOOLONG: return error_long_name;
    case ENOTEMPTY: return error_not_empty;
    case ELOOP: return error_too_many_links;
    default: return error_input_output;
  }
}

bool again(int error) { return error == EINTR || error == EAGAIN || error == EWOULDBLOCK; }

namespace {

constexpr int wait_milliseconds = 10;

// What a pipe takes without blocking once it can be written at all. Writing no more than that at a time
// keeps a program that writes to a slow reader open to interruption.
constexpr size_t write_length = PIPE_BUF;

enum class Wait { ready, stop, failed };

// Whether a descriptor is open in the other direction only. Reading and writing would say so, but poll waits
// on such a pipe for ever.
bool leads_the_other_way(int descriptor, short events) {
  const int flags = fcntl(descriptor, F_GETFL);
  // beyond tests: poll has just found it open
  return flags >= 0 && (flags & O_ACCMODE) == (events == POLLIN ? O_WRONLY : O_RDONLY);
}

// Waits until a descriptor can be read or written; errno says why where it cannot. In slices, so that
// neither comet_interrupt from another thread nor a deadline needs a signal to be seen.
Wait wait_for(comet_machine* machine, int descriptor, short events) {
  for (;;) {
    pollfd waiting{descriptor, events, 0};
    const int count = poll(&waiting, 1, wait_milliseconds);
    if (count > 0 && (waiting.revents & POLLNVAL) == 0) return Wait::ready;
    if (count < 0 && !again(errno)) return Wait::failed;  // beyond tests: the system's own memory has to end
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
  // beyond tests: there is such a signal. A handler with SA_SIGINFO lies in the same place.
  return sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL;
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
    if (sigismember(&pending, SIGPIPE) == 1) sigwait(&pipe_signal, &signal_number);  // beyond tests: it is there
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

constexpr uint64_t looking_length = 16 * write_length;

// The descriptor of a stream or a file, or nothing when the call is answered already: `answer` is what to return.
std::optional<int> stream_descriptor(comet_call* call, const HostState& state, short events, comet_status& answer) {
  const uint64_t stream = comet_call_argument(call, 0);
  int descriptor = state.files.is_stream(stream) ? state.streams[static_cast<size_t>(stream)] : -1;
  if (const OpenFile* const file = state.files.find(stream))
    descriptor = (events == POLLIN ? file->how.readable : file->how.writable) ? file->descriptor.get() : -1;
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

comet_status limited(HostState& state, comet_limit limit) {
  state.limit = limit;
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
  const std::optional<int> descriptor = stream_descriptor(call, state, POLLIN, answer);
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
      case Wait::stop: return interrupted(call);
      case Wait::failed: return result(call, error_of(errno));
      case Wait::ready: break;
    }
    const ssize_t count = read(*descriptor, state.buffer.get(), length);
    if (count >= 0) {
      comet_status status = COMET_OK;
      if (count > 0) status = comet_call_write(call, address, state.buffer.get(), static_cast<size_t>(count));
      // beyond tests: a callback has to take the memory away while the call waits, or the host's has to end just here
      if (status != COMET_OK) return status;
      return result(call, count);
    }
    if (!again(errno)) return result(call, error_of(errno));  // beyond tests: a signal has to come between
    if (host_stop_requested(comet_call_machine(call))) return interrupted(call);  // beyond tests: a signal has to come between
  }
}

comet_status call_write(comet_call* call, void*) {
  HostState& state = state_of(call);
  comet_status answer = COMET_OK;
  const std::optional<int> descriptor = stream_descriptor(call, state, POLLOUT, answer);
  if (!descriptor) return answer;

  const uint64_t address = comet_call_argument(call, 1);
  const uint64_t length = comet_call_argument(call, 2);
  if (length == 0) return result(call, 0);
  if (const comet_status status = host_check(call, address, length, COMET_READ); status != COMET_OK)
    return status;
  // All of it or nothing, so that a program is not disturbed by a limit that is then raised.
  if (length > state.output_left) return limited(state, COMET_LIMIT_OUTPUT);

  uint8_t bytes[write_length];
  uint64_t done = 0;
  while (done < length) {
    const Wait wait = wait_for(comet_call_machine(call), *descriptor, POLLOUT);
    int error = wait == Wait::failed ? errno : EINTR;
    if (wait == Wait::ready) {
      const size_t count = static_cast<size_t>(std::min<uint64_t>(length - done, write_length));
      const comet_status status = comet_call_read(call, address + done, bytes, count);
      // beyond tests: a callback has to take the memory away while the call waits
      if (status != COMET_OK) return status;
      const ssize_t written = write_safely(*descriptor, bytes, count);
      error = errno;
      if (written >= 0) {
        const uint64_t before = done;
        done += static_cast<uint64_t>(written);
        state.output_bytes += static_cast<uint64_t>(written);
        if (state.output_left != COMET_UNLIMITED) state.output_left -= static_cast<uint64_t>(written);
        // Where nothing makes it wait, a long write asks now and then all the same.
        if (before / looking_length != done / looking_length && host_stop_requested(comet_call_machine(call))) break;
        continue;
      }
      if (again(error) && !host_stop_requested(comet_call_machine(call))) continue;  // beyond tests: a signal
    }
    // What went out before counts; an error comes back with the next write.
    if (done > 0) break;
    return again(error) ? interrupted(call) : result(call, error_of(error));
  }
  return result(call, static_cast<int64_t>(done));
}

// ---- waiting for several things --------------------------------------------------------------------

// As WASI's poll_oneoff has them in memory.
constexpr uint64_t subscription_length = 48, event_length = 32, most_subscriptions = 256;
constexpr uint8_t for_time = 0, for_writing = 2;  // and 1 for reading
constexpr uint8_t wasi_bad_descriptor = 8, wasi_not_permitted = 63;

uint64_t number_at(const uint8_t* bytes, int length) {
  uint64_t value = 0;
  for (int i = length - 1; i >= 0; --i) value = value << 8 | bytes[i];
  return value;
}

int64_t time_on(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec;
}

struct Subscription {
  uint8_t kind;
  int64_t until = INT64_MAX;  // of the monotonic clock
  int descriptor = -1;
  bool ready = false;
  uint8_t error = 0;
};

Subscription read_subscription(comet_call* call, const uint8_t* bytes, int64_t now) {
  Subscription wanted{bytes[8]};
  if (wanted.kind == for_time) {
    const uint64_t clock = number_at(bytes + 16, 4);
    uint64_t left = number_at(bytes + 24, 8);
    if ((bytes[40] & 1) != 0) {
      // Until a time of day: who may not see the clock does not get to know it by waiting for it either.
      if (!host_granted(comet_call_machine(call), "clock")) wanted.error = wasi_not_permitted;
      const auto then = static_cast<int64_t>(std::min<uint64_t>(left, INT64_MAX)), at = clock == 0 ? time_on(CLOCK_REALTIME) : now;
      left = then > at ? static_cast<uint64_t>(then - at) : 0;
    }
    wanted.until = left > static_cast<uint64_t>(INT64_MAX - now) ? INT64_MAX : now + static_cast<int64_t>(left);
    return wanted;
  }
  const HostState& state = state_of(call);
  const uint64_t number = number_at(bytes + 16, 4);
  if (const OpenFile* const file = state.files.find(number)) {
    wanted.descriptor = file->descriptor.get();
  } else if (state.files.is_stream(number) && state.streams[static_cast<size_t>(number)] != COMET_STREAM_NONE) {
    wanted.descriptor = state.streams[static_cast<size_t>(number)];
    wanted.ready = wanted.descriptor == COMET_STREAM_EMBEDDER;  // who serves it waits there
  } else {
    wanted.error = wasi_bad_descriptor;
  }
  return wanted;
}

// Whether anything has happened; waits for at most `slice` milliseconds until something has.
bool look(std::vector<Subscription>& wanted, std::vector<pollfd>& waiting, int slice) {
  poll(waiting.data(), waiting.size(), slice);
  const int64_t now = time_on(CLOCK_MONOTONIC);
  bool any = false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].kind == for_time ? now >= wanted[i].until : waiting[i].revents != 0) wanted[i].ready = true;
    any = any || wanted[i].ready || wanted[i].error != 0;
  }
  return any;
}

// Where subscriptions are, where events go, how many subscriptions: gives how many events there were.
comet_status call_poll(comet_call* call, void*) {
  const uint64_t from = comet_call_argument(call, 0), to = comet_call_argument(call, 1), count = comet_call_argument(call, 2);
  if (count == 0 || count > most_subscriptions) return result(call, error_bad_argument);
  uint8_t bytes[subscription_length];
  if (const comet_status status = host_check(call, to, count * event_length, COMET_WRITE); status != COMET_OK) return status;
  if (const comet_status status = host_check(call, from, count * subscription_length, COMET_READ); status != COMET_OK)
    return status;
  std::vector<Subscription> wanted;
  std::vector<pollfd> waiting;
  std::vector<std::array<uint8_t, 8>> names;
  try {
    const int64_t begin = time_on(CLOCK_MONOTONIC);
    for (uint64_t i = 0; i < count; ++i) {
      comet_call_read(call, from + i * subscription_length, bytes, sizeof bytes);
      if (bytes[8] > for_writing) return result(call, error_bad_argument);
      wanted.push_back(read_subscription(call, bytes, begin));
      waiting.push_back({wanted.back().descriptor, static_cast<short>(bytes[8] == for_writing ? POLLOUT : POLLIN), 0});
      std::copy_n(bytes, 8, names.emplace_back().begin());
    }
  } catch (const std::bad_alloc&) {
    return comet_call_fail(call, "the host has no memory for what is waited for");
  }
  for (bool any = look(wanted, waiting, 0); !any;) {
    if (host_stop_requested(comet_call_machine(call))) return interrupted(call);
    int64_t left = INT64_MAX;
    for (const Subscription& one : wanted) left = std::min(left, one.until);
    left = (left - time_on(CLOCK_MONOTONIC)) / 1000000 + 1;
    any = look(wanted, waiting, static_cast<int>(std::clamp<int64_t>(left, 0, wait_milliseconds)));
  }
  uint64_t events = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i].ready && wanted[i].error == 0) continue;
    uint8_t event[event_length] = {};
    std::copy(names[i].begin(), names[i].end(), event);
    event[8] = wanted[i].error;
    event[10] = wanted[i].kind;
    if (wanted[i].kind != for_time) event[16] = 1;  // how many bytes is not known; at least one
    if ((waiting[i].revents & POLLHUP) != 0) event[24] = 1;
    // beyond tests: a callback has to take the memory away while the call waits, or the host's has to end just here
    if (const comet_status status = comet_call_write(call, to + events * event_length, event, sizeof event); status != COMET_OK)
      return status;
    ++events;
  }
  return result(call, static_cast<int64_t>(events));
}

// ---- arguments -------------------------------------------------------------------------------------

comet_status call_arg_count(comet_call* call, void*) {
  return result(call, static_cast<int64_t>(state_of(call).arguments.size()));
}

// One of some texts, by its number: address and length of the room for it; gives its whole length.
comet_status give_text(comet_call* call, const std::vector<std::string>& texts) {
  const uint64_t number = comet_call_argument(call, 0);
  if (number >= texts.size()) return result(call, error_bad_argument);
  const std::string& text = texts[static_cast<size_t>(number)];
  const size_t length = static_cast<size_t>(std::min<uint64_t>(text.size(), comet_call_argument(call, 2)));
  if (length > 0) {
    const comet_status status = comet_call_write(call, comet_call_argument(call, 1), text.data(), length);
    if (status != COMET_OK) return status;
  }
  return result(call, static_cast<int64_t>(text.size()));
}

comet_status call_arg(comet_call* call, void*) { return give_text(call, state_of(call).arguments); }

comet_status call_env_count(comet_call* call, void*) {
  return result(call, static_cast<int64_t>(state_of(call).environment.size()));
}

comet_status call_env(comet_call* call, void*) { return give_text(call, state_of(call).environment); }

// ---- clock and randomness --------------------------------------------------------------------------

comet_status call_clock(comet_call* call, void*) {
  clockid_t clock = CLOCK_REALTIME;
  switch (comet_call_argument(call, 0)) {
    case 0: break;
    case 1: clock = CLOCK_MONOTONIC; break;
    default: return result(call, error_bad_argument);
  }
  return result(call, time_on(clock));
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
    // beyond tests: the host's memory has to end just here
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
  if (state_of(call).stop_for_memory && !host_memory_left(machine, length)) return limited(state_of(call), COMET_LIMIT_MEMORY);
  const bool mapped =
      comet_map(machine, thread.space, address, length, COMET_READ | COMET_WRITE, nullptr) == COMET_OK;
  return result(call, mapped ? 0 : error_no_memory);
}

}  // namespace

const std::array<StandardCall, 11> standard_calls{{
    {"exit", "exit", call_exit},
    {"streams", "read", call_read},
    {"streams", "write", call_write},
    {"streams", "poll", call_poll},
    {"arguments", "arg_count", call_arg_count},
    {"arguments", "arg", call_arg},
    {"arguments", "env_count", call_env_count},
    {"arguments", "env", call_env},
    {"clock", "clock", call_clock},
    {"random", "random", call_random},
    {"memory", "map", call_map},
}};

namespace {

// Hands each call of a group to a procedure: its name, its function, and whether it is an internal one. False when
// there is no such group.
template <typename Procedure>
bool for_each_call(std::string_view group, Procedure procedure) {
  bool any = false;
  const auto look = [&](const StandardCall& call, bool internal) {
    if (call.group != group) return;
    procedure(call.name, call.function, internal);
    any = true;
  };
  for (const StandardCall& call : standard_calls) look(call, false);
  for (const StandardCall& call : internal_calls) look(call, true);
  if (group != "files") return any;
  for (const FileCall& call : file_calls) procedure(call.name, call.function, false);
  return true;
}

}  // namespace

bool grant_standard(HostTable& table, std::string_view group) {
  return for_each_call(group, [&](std::string_view name, comet_host_function function, bool internal) {
    HostCall call;
    call.function = function;
    call.internal = internal;
    table.grant(name, call);
  });
}

bool revoke_standard(HostTable& table, std::string_view group) {
  return for_each_call(group, [&](std::string_view name, comet_host_function, bool) { table.revoke(name); });
}

void grant_default(HostTable& table) {
  for (const std::string_view group : {"exit", "streams", "arguments", "memory", "files", "threads", "events"})
    grant_standard(table, group);
}

}  // namespace comet
