// Recordings. A damaged one is refused with an error or valid; what is valid is replayed, in one go and in slices, and
// comes to the same state both times.
#include <algorithm>

#include "state_files.h"

namespace fuzz {
namespace {

constexpr std::uint64_t most_fuel = 5000;

struct {
  std::uint64_t refused, valid, not_restored, not_loaded, replayed;
} counts;

// A machine that is where the recording begins, and has its log; none where it does not fit.
machine_pointer at_the_beginning(const comet_state* recording) {
  machine_pointer machine = make_machine();
  comet_error error = COMET_ERROR_INIT;
  if (comet_state_restore(machine.get(), recording, &error) != COMET_OK) {
    require(error.message[0] != 0, "a recording is not restored without a word of why");
    ++counts.not_restored;
    return nullptr;
  }
  if (comet_timeline_load(machine.get(), recording, 1 << 20, &error) != COMET_OK) {
    require(error.message[0] != 0, "a recording is not loaded without a word of why");
    ++counts.not_loaded;
    return nullptr;
  }
  return machine;
}

// Runs up to the instruction count `end` of all threads or until something stops it; false where time had a say.
bool replay(comet_machine* machine, std::uint64_t end, std::uint64_t slice) {
  int patience = 30;  // milliseconds
  comet_set_poll(machine, [](void* left) { return --*static_cast<int*>(left) < 0 ? 1 : 0; }, &patience);
  bool untimed = true;
  for (std::uint64_t left = end; left > 0;) {
    comet_stop stop = COMET_STOP_INIT;
    comet_error error = COMET_ERROR_INIT;
    const std::uint64_t fuel = std::min(slice, left);
    const comet_status status = comet_run(machine, COMET_EVERY_THREAD, fuel, &stop, &error);
    if (status != COMET_OK) {  // the log tells of another machine
      require(error.message[0] != 0, "a recording is not replayed without a word of why");
      break;
    }
    require(stop.executed <= fuel, "more instructions were executed than there was fuel");
    left -= stop.executed;
    if (stop.reason == COMET_INTERRUPTED) untimed = false;
    if (stop.reason != COMET_OUT_OF_FUEL) break;
  }
  comet_set_poll(machine, nullptr, nullptr);
  return untimed;
}

void check_valid(const comet_state* recording) {
  comet_state_info info = COMET_STATE_INFO_INIT;
  comet_error error = COMET_ERROR_INIT;
  require(comet_state_get(recording, &info, &error) == COMET_OK, error.message);
  if (!info.recording) return;
  state_hash hashes[2]{};
  for (state_hash& hash : hashes) {
    const machine_pointer machine = at_the_beginning(recording);
    if (machine == nullptr) return;
    // As far as the log goes; what comes behind has to end well, and that is all.
    const std::uint64_t length = std::min(most_fuel, info.end > info.begin ? info.end - info.begin : 0);
    const bool comparable = replay(machine.get(), length, &hash == hashes ? UINT64_MAX : 37);
    hash = hash_of(machine.get());
    if (!comparable) return;
    run_on(machine.get(), most_fuel / 5);
  }
  require(hashes[0] == hashes[1], "the same recording was replayed differently in slices");
  ++counts.replayed;
}

}  // namespace

std::vector<bytes> seeds() { return recordings(); }
void seal(bytes& file) { seal_records(file); }
bytes draw(random_source& random, const std::vector<bytes>& from) { return with_damaged_records(random, from); }

void report(std::ostream& out) {
  out << counts.refused << " refused, " << counts.valid << " valid; " << counts.not_restored << " not restored, "
      << counts.not_loaded << " not loaded, " << counts.replayed << " replayed\n";
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t length) {
  using namespace fuzz;
  const state_pointer state = read_state(input, length, nullptr);
  ++(state != nullptr ? counts.valid : counts.refused);
  if (state != nullptr) check_valid(state.get());
  return 0;
}
