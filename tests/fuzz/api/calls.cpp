// What a sequence is, and what each call is checked for.
#include "call.h"

namespace fuzz {

api_calls::api_calls(const std::uint8_t* bytes, std::size_t length, bool traced)
    : random_(bytes, length), traced_(traced), may_be_parallel_(length % 4 == 0), buffer_(buffer_length) {
  random_source noise(length);
  for (std::uint8_t& byte : buffer_) byte = static_cast<std::uint8_t>(noise.word());
}

api_calls::~api_calls() {
  try {
    end();
  } catch (const broken_promise&) {  // another was told of before
  }
}

void api_calls::take() {
  make_machine();
  load_program();
  while (!random_.at_end()) {
    step();
    if (!broken_.empty()) throw broken_promise(broken_);
  }
  for (const machine& each : machines_)
    if (each.made != nullptr) hash_of(each.made);
}

void api_calls::end() {
  for (machine& each : machines_) free_machine(each);
  while (!states_.empty()) drop_state(0);
  for (comet_image* image : images_) comet_image_free(image);
  for (comet_code* code : codes_) comet_code_free(code);
  for (comet_profile* profile : profiles_) comet_profile_free(profile);
  images_.clear();
  codes_.clear();
  profiles_.clear();
  require(granted_ == released_, "comet_host_grant_with",
          "data is released once when the last machine that has it is gone");
  require(taken_ == 0, "comet_machine_new_with", "what was allocated is released, with its length");
}

void api_calls::step() {
  switch (random_.below(34)) {
    case 0: return make_machine();
    case 1: return random_.one_in(3) ? free_machine(any()) : reset();
    case 2: return limits();
    case 3:
    case 4: return memory();
    case 5: return spaces();
    case 6: return transfer();
    case 7: return threads();
    case 8: return registers();
    case 9:
    case 10: return load_program();
    case 11: return observe();
    case 12: return stops();
    case 13:
    case 14: return snapshots();
    case 15:
    case 16: return timeline();
    case 17: return grants();
    case 18:
    case 19: return waiting_calls();
    case 20: return surroundings();
    case 21: return events();
    case 22: return save();
    case 23: return capture();
    case 24: return fork();
    case 25: return restore();
    case 26: return record();
    case 27: return images();
    case 28: return code();
    case 29: return instructions_of_own();
    case 30: return questions();
    default: return run();
  }
}

void api_calls::require(bool kept, const char* name, const char* promise) {
  if (!kept) throw broken_promise(std::string(name) + ": " + promise);
}

api_calls::hash api_calls::hash_of(const comet_machine* machine) {
  hash result{};
  comet_error error = COMET_ERROR_INIT;
  if (comet_state_hash(machine, result.data(), &error) != COMET_OK)
    throw broken_promise(std::string("no hash: ") + error.message);
  for (const std::uint8_t byte : result) note(byte);
  return result;
}

void api_calls::require_hash(const comet_machine* machine, const hash& expected, const char* name) {
  if (depth_ == 0) require(hash_of(machine) == expected, name, "the state is the one that was kept");
}

}  // namespace fuzz
