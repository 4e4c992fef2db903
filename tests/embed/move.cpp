// One run that goes back and forth between two processes at random instants, with threads, host calls that wait for their
// answers, handlers of events and traps, timers and waits under way, and ends with the hash of the run that stayed where it
// was: `move [SEED] [MOVES]`.
//
// Each process saves only the pages that differ from the state that it got last.
#include <comet.hpp>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "moving_program.h"

namespace {

void transfer(ssize_t (*move)(int, char*, size_t), int descriptor, void* bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    const ssize_t count = move(descriptor, static_cast<char*>(bytes) + done, length - done);
    if (count <= 0) throw std::runtime_error("the other process is gone");
    done += static_cast<size_t>(count);
  }
}
ssize_t send_some(int to, char* bytes, size_t length) { return write(to, bytes, length); }
ssize_t receive_some(int from, char* bytes, size_t length) { return read(from, bytes, length); }

struct message {
  uint64_t length; // 0: the run has ended
  comet::state_hash hash;
};

// What one of the two does: takes the run over, goes on for a while, and gives it back, until it ends or is to stay.
class side {
 public:
  side(int descriptor, unsigned seed) : socket_(descriptor), random_(seed) {}

  // False when the run has ended at the other side, with this hash.
  bool take(comet::machine& machine, comet::state_hash& hash) {
    message head{};
    transfer(receive_some, socket_, &head, sizeof head);
    hash = head.hash;
    if (head.length == 0) return false;
    uint64_t left = head.length;
    const auto receive = [&](void* bytes, size_t room) {
      const auto length = static_cast<size_t>(std::min<uint64_t>(room, left));
      transfer(receive_some, socket_, bytes, length);
      left -= length;
      return length;
    };
    known_ = comet::state::read_from(receive, head.length, known());
    machine.restore(*known_);
    if (machine.hash() != head.hash) throw std::runtime_error("the run did not arrive as it left");
    return true;
  }

  // False when it has ended here.
  bool go_on(comet::machine& machine) {
    const uint64_t until = moving::count_of(machine) + 1 + random_() % 2000;
    // Leaves also while every thread waits, after a millisecond or a few.
    comet_set_poll(machine.get(), [](void* random) { return (*static_cast<std::mt19937*>(random))() % 4 == 0 ? 1 : 0; }, &random_);
    bool goes_on = true;
    for (uint64_t count = moving::count_of(machine); goes_on && count < until; count = moving::count_of(machine)) {
      goes_on = moving::step(machine, until - count);
      const bool in_between = !moving::waiting(machine).empty() || moving::count_of(machine) == count;
      const unsigned stays = moving::in_a_handler(machine) ? 5 : in_between ? 40 : 0; // else few would leave then
      if (stays != 0 && random_() % stays == 0) break;
    }
    comet_set_poll(machine.get(), nullptr, nullptr);
    return goes_on;
  }

  size_t give(comet::machine& machine) {
    comet::byte_vector file;
    machine.save_to([&](const void* bytes, size_t length) { return comet::detail::append(&file, bytes, length) == 0; }, known());
    // The next one is saved against what this file tells, which both sides know.
    known_ = comet::state::read(file, known());
    message head{file.size(), machine.hash()};
    transfer(send_some, socket_, &head, sizeof head);
    transfer(send_some, socket_, file.data(), file.size());
    return file.size();
  }

  void end(const comet::machine& machine) {
    message head{0, machine.hash()};
    transfer(send_some, socket_, &head, sizeof head);
  }

 private:
  const comet::state* known() const { return known_ ? &*known_ : nullptr; }

  int socket_;
  std::mt19937 random_;
  std::optional<comet::state> known_;
};

// What was under way when the run left.
struct in_flight {
  unsigned threads = 0, calls = 0, handlers = 0, waits = 0;

  void look(const comet::machine& machine) {
    const auto all = moving::threads_of(machine);
    const auto any = [&](auto&& holds) { return std::any_of(all.begin(), all.end(), holds); };
    threads += all.size() > 2;
    calls += !moving::waiting(machine).empty();
    handlers += moving::in_a_handler(machine);
    waits += any([](const auto& thread) { return thread.second.standing != COMET_RUNNABLE; });
  }
  bool everything() const { return threads != 0 && calls != 0 && handlers != 0 && waits != 0; }
};

void be_the_other(int socket, unsigned seed) {
  side here(socket, seed);
  comet::machine machine = moving::granted();
  comet::state_hash hash;
  while (here.take(machine, hash)) {
    if (here.go_on(machine)) here.give(machine);
    else return here.end(machine);
  }
}

} // namespace

int main(int count, char** arguments) {
  const unsigned seed = count > 1 ? static_cast<unsigned>(std::strtoul(arguments[1], nullptr, 10)) : 1;
  const unsigned wanted = count > 2 ? static_cast<unsigned>(std::strtoul(arguments[2], nullptr, 10)) : 20;
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) return 2;
  const pid_t other = fork();
  try {
    if (other == 0) {
      close(sockets[0]);
      be_the_other(sockets[1], seed + 1);
      return 0;
    }
    close(sockets[1]);
    comet::machine undisturbed = moving::fresh();
    while (moving::step(undisturbed, UINT64_MAX)) {}

    side here(sockets[0], seed);
    comet::machine machine = moving::fresh();
    comet::state_hash hash{};
    unsigned moves = 0;
    in_flight seen;
    size_t bytes = 0;
    bool running = here.go_on(machine);
    while (running && moves < wanted) {
      seen.look(machine);
      bytes += here.give(machine);
      ++moves;
      if (!here.take(machine, hash)) {
        running = false;
        break;
      }
      ++moves;
      running = here.go_on(machine);
    }
    here.end(machine);
    while (running) running = moving::step(machine, UINT64_MAX);
    if (hash == comet::state_hash{} || machine.hash() != hash) hash = machine.hash();
    int status = 0;
    waitpid(other, &status, 0);
    const bool same = hash == undisturbed.hash();
    std::printf("%u moves of %llu instructions, %zu bytes a move; of those from here, with threads %u, with calls that wait %u, "
                "in handlers %u, with threads that wait for a word, thread or event %u: %s\n",
                moves, static_cast<unsigned long long>(moving::count_of(undisturbed)), bytes / ((moves + 1) / 2), seen.threads,
                seen.calls, seen.handlers, seen.waits, same ? "the same hash" : "another hash");
    return same && moves >= wanted && seen.everything() && status == 0 ? 0 : 1;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "move: %s\n", exception.what());
    return 1;
  }
}
