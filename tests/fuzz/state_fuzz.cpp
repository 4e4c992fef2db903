// States. A damaged one is refused with an error or valid; what is valid is restored, saved and read again as what it
// was, forked, and run for a while. Some are read with a base.
#include "state_files.h"

namespace fuzz {
namespace {

constexpr std::uint64_t run_fuel = 3000;

struct {
  std::uint64_t refused, valid, not_restored;
} counts;

const std::vector<bytes>& originals() {
  static const std::vector<bytes> all = saved_states();
  return all;
}

const comet_state* base() {
  static const state_pointer read = read_state(originals()[0].data(), originals()[0].size(), nullptr);
  return read.get();
}

// What holds for every file that the library accepts.
void check_valid(const comet_state* state) {
  comet_error error = COMET_ERROR_INIT;
  comet_state_info info = COMET_STATE_INFO_INIT;
  require(comet_state_get(state, &info, &error) == COMET_OK, error.message);
  const machine_pointer machine = make_machine(), other = make_machine();
  if (comet_state_restore(machine.get(), state, &error) != COMET_OK) {
    require(error.message[0] != 0, "a state is not restored without a word of why");
    ++counts.not_restored;
    return;
  }
  bytes saved;
  require(comet_state_save(machine.get(), nullptr, append, &saved, nullptr, &error) == COMET_OK, error.message);
  const state_pointer again = read_state(saved.data(), saved.size(), nullptr);
  require(again != nullptr, "a state that was restored and saved cannot be read");
  require(comet_state_restore(other.get(), again.get(), &error) == COMET_OK, error.message);
  require(hash_of(machine.get()) == hash_of(other.get()), "a state that was saved again is another");
  comet_machine* made = nullptr;
  require(comet_machine_fork(machine.get(), nullptr, &made, &error) == COMET_OK, error.message);
  const machine_pointer fork(made);
  const state_hash before = hash_of(machine.get());
  require(hash_of(fork.get()) == before, "a fork is in another state");
  run_on(fork.get(), run_fuel);
  require(hash_of(machine.get()) == before, "a fork changed what it was forked from");
  run_on(machine.get(), run_fuel);
  hash_of(machine.get());
}

}  // namespace

std::vector<bytes> seeds() { return originals(); }
void seal(bytes& file) { seal_records(file); }
bytes draw(random_source& random, const std::vector<bytes>& from) { return with_damaged_records(random, from); }

void report(std::ostream& out) {
  out << counts.refused << " refused, " << counts.valid << " valid, " << counts.not_restored << " of these not restored\n";
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t length) {
  using namespace fuzz;
  const state_pointer state = read_state(input, length, base());
  ++(state != nullptr ? counts.valid : counts.refused);
  if (state != nullptr) check_valid(state.get());
  return 0;
}
