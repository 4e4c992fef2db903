// One run that goes back and forth between two processes at random instants, also while a host call waits for its answer,
// and ends with the hash of the run that stayed where it was: `move [SEED] [MOVES]`.
//
// Each process saves only the pages that differ from the state that it got last.
#include <comet.hpp>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>

using comet::n;
using comet::r;
using comet::to;

namespace {

constexpr uint64_t origin = 0x10000, data = 0x100000, data_length = 64 * COMET_PAGE_SIZE;
constexpr uint64_t rounds = 400;

// Asks the host for a number by a call that waits, one by a call that does not, and writes both all over its pages.
comet::image program() {
  comet::code code(origin);
  code.emit("imm", {r(20), n(rounds)}).emit("imm", {r(21), n(data)});
  const comet_label loop = code.here();
  code.emit("mov", {r(1), r(20)}).emit("hcall", {r(0), n(0)}).emit("mov", {r(10), r(1)});
  code.emit("imm", {r(1), n(data)}).emit("imm", {r(2), n(16)}).emit("hcall", {r(0), n(1)});
  code.emit("imm", {r(3), n(200)});
  const comet_label inner = code.here();
  code.emit("imm", {r(5), n(6364136223846793005)}).emit("mul", {r(10), r(10), r(5)}).emit("addi", {r(10), r(10), n(1442695)});
  code.emit("imm", {r(6), n(static_cast<int64_t>(data_length / 8))}).emit("rem_u", {r(7), r(10), r(6)});
  code.emit("stx64", {r(21), r(7), r(10)});
  code.emit("addi", {r(3), r(3), n(-1)}).emit("bnei", {r(3), n(0), to(inner)});
  code.emit("addi", {r(20), r(20), n(-1)}).emit("bnei", {r(20), n(0), to(loop)}).emit("halt");
  comet::image image;
  image.section(".text", origin, code.finish(), COMET_READ | COMET_EXECUTE);
  image.section(".bss", data, {}, COMET_READ | COMET_WRITE, data_length);
  image.import("ask").import("random").entry(origin);
  return image;
}

comet::machine granted() {
  comet::machine made;
  made.grant("ask");
  made.grant_standard("random");
  return made;
}

comet::machine fresh() {
  comet::machine made = granted();
  comet_set_random_seed(made.get(), 7);
  made.load(program());
  return made;
}

uint64_t answer(uint64_t question) { return question * 0x9e3779b97f4a7c15; }

// Runs for so many instructions; false when the program has ended. A call that is still open at the end stays so.
bool run_for(comet::machine& machine, uint64_t fuel) {
  while (fuel != 0) {
    comet_thread thread = 0;
    uint32_t index = 0;
    if (comet_host_waiting(machine.get(), 0, &thread, &index, nullptr) == COMET_OK)
      machine.complete(answer(machine.argument(0)));
    const comet_stop stop = machine.run(fuel);
    fuel -= stop.executed;
    if (stop.reason == COMET_HALTED) return false;
    if (stop.reason == COMET_HOST_CALL && fuel % 3 == 0) return true; // leaves with the call in flight
    if (stop.reason != COMET_HOST_CALL && stop.reason != COMET_OUT_OF_FUEL) throw std::runtime_error(stop.message);
  }
  return true;
}

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
    comet::byte_vector file(static_cast<size_t>(head.length));
    transfer(receive_some, socket_, file.data(), file.size());
    comet_state* read = nullptr;
    comet::detail::checked(comet_state_read, file.data(), file.size(), static_cast<const comet_state*>(known_.get()), &read);
    known_.reset(read);
    comet::detail::checked(comet_state_restore, machine.get(), static_cast<const comet_state*>(read));
    if (machine.hash() != head.hash) throw std::runtime_error("the run did not arrive as it left");
    return true;
  }

  // False when it has ended here.
  bool go_on(comet::machine& machine) {
    return run_for(machine, std::uniform_int_distribution<uint64_t>(1, 40000)(random_));
  }

  size_t give(comet::machine& machine) {
    comet::byte_vector file;
    comet_save_options options = COMET_SAVE_OPTIONS_INIT;
    options.base = known_.get();
    comet_state* kept = nullptr;
    comet::detail::checked(comet_state_save, machine.get(), &options, comet::detail::append, static_cast<void*>(&file), &kept);
    // The next one is saved against what this file tells, which both sides know.
    comet_state* same = nullptr;
    comet::detail::checked(comet_state_read, file.data(), file.size(), static_cast<const comet_state*>(known_.get()), &same);
    comet_state_free(kept);
    known_.reset(same);
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
  int socket_;
  std::mt19937 random_;
  std::unique_ptr<comet_state, comet::detail::deleter<comet_state_free>> known_;
};

void be_the_other(int socket, unsigned seed) {
  side here(socket, seed);
  comet::machine machine = granted();
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
    comet::machine undisturbed = fresh();
    while (run_for(undisturbed, 1 << 20)) {}

    side here(sockets[0], seed);
    comet::machine machine = fresh();
    comet::state_hash hash{};
    unsigned moves = 0, in_flight = 0;
    size_t bytes = 0;
    bool running = here.go_on(machine);
    while (running && moves < wanted) {
      comet_thread thread = 0;
      uint32_t index = 0;
      in_flight += comet_host_waiting(machine.get(), 0, &thread, &index, nullptr) == COMET_OK;
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
    while (running) running = run_for(machine, 1 << 20);
    if (hash == comet::state_hash{} || machine.hash() != hash) hash = machine.hash();
    int status = 0;
    waitpid(other, &status, 0);
    const bool same = hash == undisturbed.hash();
    std::printf("%u moves, %u with a call in flight, %zu bytes a move: %s\n", moves, in_flight, bytes / ((moves + 1) / 2),
                same ? "the same hash" : "another hash");
    return same && moves >= wanted && in_flight != 0 && status == 0 ? 0 : 1;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "move: %s\n", exception.what());
    return 1;
  }
}
