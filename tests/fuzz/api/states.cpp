// States in files and in memory, forks, recordings.
#include "call.h"

namespace fuzz {

int api_calls::append(void* data, const void* bytes, std::size_t length) {
  auto* const to = static_cast<std::vector<std::uint8_t>*>(data);
  const auto* const begin = static_cast<const std::uint8_t*>(bytes);
  if (to->size() > std::size_t{1} << 23) return 1;
  to->insert(to->end(), begin, begin + length);
  return 0;
}

void api_calls::drop_state(std::size_t n) {
  comet_state_free(states_[n].taken);
  states_.erase(states_.begin() + static_cast<std::ptrdiff_t>(n));
}

comet_save_options api_calls::save_options(const comet_stop& stop) {
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.size = random_.one_in(20) ? 0 : sizeof options;
  options.image = random_.one_in(2) ? nullptr : any_of(images_);
  options.image_hash_only = static_cast<int>(random_.below(2));
  options.thread = thread();
  options.stop = random_.one_in(2) ? nullptr : &stop;
  return options;
}

// Saves a state and reads it again: what was saved has to be readable.
void api_calls::save() {
  comet_machine* const on = any_made();
  comet_stop stop = COMET_STOP_INIT;
  comet_save_options options = save_options(stop);
  options.base = random_.one_in(3) ? any_state() : nullptr;
  std::vector<std::uint8_t> bytes;
  comet_state* kept = nullptr;
  const bool keeps = random_.one_in(3);
  const comet_status status = CALL_ON(comet_state_save, on, random_.one_in(4) ? nullptr : &options,
                                      random_.one_in(30) ? nullptr : append, &bytes, keeps ? &kept : nullptr);
  if (kept != nullptr) states_.push_back({kept, {}, false});
  comet_state* read = nullptr;
  const comet_status again = CALL(comet_state_read, bytes.data(), bytes.size(), nullptr, &read);
  if (again == COMET_OK) {
    const bool known = status == COMET_OK && depth_ == 0;
    states_.push_back({read, known ? hash_of(on) : hash{}, known});
  } else {
    require(status != COMET_OK || options.base != nullptr, "comet_state_read", "what was saved can be read");
  }
  while (states_.size() > 5) drop_state(random_.below(states_.size()));
}

void api_calls::capture() {
  comet_machine* const on = any_made();
  comet_stop stop = COMET_STOP_INIT;
  comet_save_options options = save_options(stop);
  comet_state* taken = nullptr;
  if (CALL_ON(comet_state_capture, on, random_.one_in(2) ? nullptr : &options, at(taken)) != COMET_OK) return;
  states_.push_back({taken, depth_ == 0 ? hash_of(on) : hash{}, depth_ == 0});
  while (states_.size() > 5) drop_state(random_.below(states_.size()));
}

void api_calls::fork() {
  comet_machine* const on = any_made();
  machine& which = any();
  if (which.made == on) return;
  const std::size_t n = states_.empty() || random_.one_in(2) ? states_.size() : random_.below(states_.size());
  const comet_state* const from = n < states_.size() ? states_[n].taken : nullptr;
  comet_machine* made = nullptr;
  if (CALL_ON(comet_machine_fork, on, from, at(made)) != COMET_OK) return;
  if (from == nullptr && depth_ == 0) require_hash(made, hash_of(on), "comet_machine_fork");
  if (from != nullptr && states_[n].known) require_hash(made, states_[n].then, "comet_machine_fork");
  free_machine(which);
  which.made = made;
  comet_set_poll(made, count_poll, this);
}

void api_calls::restore() {
  comet_machine* const on = any_made();
  if (states_.empty()) return;
  const state& from = states_[random_.below(states_.size())];
  const comet_state* const taken = from.taken;
  comet_state_info info = COMET_STATE_INFO_INIT;
  info.size = size(sizeof info);
  CALL(comet_state_get, taken, at(info));
  comet_stop stop = COMET_STOP_INIT;
  CALL(comet_state_stop, taken, at(stop));
  const std::uint32_t n = static_cast<std::uint32_t>(random_.one_in(4) ? awkward() : random_.below(3));
  note(comet_state_image(taken) != nullptr);
  note(comet_state_import(taken, n) != nullptr);
  note(comet_state_argument(taken, n) != nullptr);
  note(comet_state_directory(taken, n) != nullptr);
  if (CALL_ON(comet_state_restore, on, taken) == COMET_OK && from.known)
    require_hash(on, from.then, "comet_state_restore");
  if (random_.one_in(3)) CALL_ON(comet_timeline_load, on, taken, random_.below(1 << 16));
}

void api_calls::record() {
  comet_machine* const on = any_made();
  comet_stop stop = COMET_STOP_INIT;
  comet_save_options options = save_options(stop);
  if (random_.one_in(2)) {
    CALL_ON(comet_record_start, on, &options, append, &recording_);
    return;
  }
  CALL_ON(comet_record_stop, on, random_.one_in(2) ? nullptr : &options);
  comet_state* read = nullptr;
  CALL(comet_state_read, recording_.data(), recording_.size(), nullptr, &read);
  if (read != nullptr) states_.push_back({read, {}, false});
  while (states_.size() > 5) drop_state(random_.below(states_.size()));
}

}  // namespace fuzz
