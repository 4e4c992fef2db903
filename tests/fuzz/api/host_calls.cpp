// Host calls, those that wait, streams, arguments, events.
#include "call.h"

namespace fuzz {

// One that does whatever an embedder may do meanwhile, with the same machine as well.
comet_status api_calls::serve(comet_call* call, void* data) {
  auto* const self = static_cast<api_calls*>(data);
  if (self->depth_ >= 2 || !self->broken_.empty()) return COMET_ERROR_STATE;
  ++self->depth_;
  comet_call_result(call, comet_call_argument(call, 0) + comet_call_argument(call, UINT32_MAX));
  std::uint8_t bytes[16];
  const std::uint64_t where = self->address(), long_ = self->random_.below(sizeof bytes + 1);
  if (comet_call_read(call, where, bytes, long_) == COMET_OK)
    comet_call_write(call, self->address(), bytes, long_);
  try {
    if (self->random_.one_in(2))
      for (std::uint64_t n = self->random_.below(4); n > 0; --n) self->step();
  } catch (const broken_promise& promise) {
    self->broken_ = promise.what();
  }
  --self->depth_;
  switch (self->random_.below(12)) {
    case 0: return comet_call_fail(call, "no");
    case 1: return COMET_ERROR_STATE;
    case 2: return static_cast<comet_status>(self->random_.below(8));
    default: return COMET_OK;
  }
}

comet_status api_calls::serve_quietly(comet_call* call, void*) {
  comet_call_result(call, comet_call_argument(call, 0) * 31 + comet_call_argument(call, 1));
  return COMET_OK;
}

void api_calls::release(void* data) { ++static_cast<api_calls*>(data)->released_; }

void api_calls::grants() {
  comet_machine* const on = any_made();
  const char* const name = host_name();
  const comet_host_function function = random_.one_in(4)   ? nullptr
                                       : random_.one_in(2) ? serve
                                                           : serve_quietly;
  switch (random_.below(7)) {
    case 0:
    case 1: CALL_ON(comet_host_grant, on, name, function, this); break;
    case 2: CALL_ON(comet_host_revoke, on, name); break;
    case 3: {
      constexpr const char* signatures[] = {"",       "u64",  "i32 f32", "bytes",       "buffer u32",
                                            "string", " u64", "u65",     "bytes  bytes"};
      comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
      options.size = random_.one_in(12) ? 0 : sizeof options;
      options.signature = random_.one_in(3) ? nullptr : signatures[random_.below(std::size(signatures))];
      options.fuel = random_.one_in(8) ? awkward() : random_.below(20);
      options.quota = random_.one_in(3) ? COMET_UNLIMITED : random_.below(5);
      options.release = random_.one_in(2) ? release : nullptr;
      if (CALL_ON(comet_host_grant_with, on, name, function, this, &options) == COMET_OK &&
          options.release != nullptr)
        ++granted_;
      break;
    }
    case 4: {
      const std::uint64_t quota = random_.one_in(2) ? COMET_UNLIMITED : random_.below(5);
      CALL_ON(comet_host_set_quota, on, name, quota);
      comet_grant_info info = COMET_GRANT_INFO_INIT;
      info.size = size(sizeof info);
      CALL_ON(comet_host_granted, on, name, at(info));
      note(info.calls);
      break;
    }
    case 5: {
      const char* const group = this->group("nothing");
      CALL_ON(comet_host_grant_standard, on, group);
      break;
    }
    default: {
      const char* const group = this->group(nullptr);
      CALL_ON(comet_host_revoke_standard, on, group);
    }
  }
}

void api_calls::waiting_calls() {
  comet_machine* const on = any_made();
  comet_thread which = thread();
  std::uint32_t index = 0;
  if (!random_.one_in(8)) CALL_ON(comet_host_waiting, on, 0, &which, at(index));
  std::uint64_t value = random_.magnitude();
  const std::uint64_t where = address(), long_ = random_.below(300);
  const unsigned n = static_cast<unsigned>(random_.one_in(8) ? awkward() : random_.below(4));
  switch (random_.below(6)) {
    case 0:
    case 1: CALL_ON(comet_host_complete, on, which, value); break;
    case 2: CALL_ON(comet_host_fail, on, which, random_.one_in(8) ? nullptr : "no\nno"); break;
    case 3: CALL_ON(comet_host_argument, on, which, n, at(value)); break;
    case 4: CALL_ON(comet_host_read, on, which, where, at(buffer_[0]), long_); break;
    default: CALL_ON(comet_host_write, on, which, where, at(buffer_[0]), long_);
  }
}

void api_calls::surroundings() {
  comet_machine* const on = any_made();
  const char* const texts[] = {"program", "A=1", "\xff=", random_.one_in(8) ? nullptr : "B=2"};
  const std::size_t count = random_.below(std::size(texts) + 1);
  const unsigned stream = static_cast<unsigned>(random_.one_in(8) ? awkward() : random_.below(3));
  const int descriptor = -static_cast<int>(1 + random_.below(3));  // nothing of this process's
  switch (random_.below(5)) {
    case 0: CALL_ON(comet_set_arguments, on, count, texts); break;
    case 1: CALL_ON(comet_set_environment, on, count, texts); break;
    case 2: CALL_ON(comet_set_stream, on, stream, descriptor); break;
    case 3: CALL_ON(comet_close_files, on); break;
    default: comet_set_random_seed(on, random_.word());
  }
}

int api_calls::count_poll(void* data) {
  auto* const self = static_cast<api_calls*>(data);
  return self->polls_left_ == 0 || --self->polls_left_ == 0;
}

void api_calls::hear(void*, const char*) {}

void api_calls::events() {
  comet_machine* const on = any_made();
  for (std::uint64_t n = random_.one_in(30) ? 300 : random_.below(4); n > 0; --n)
    note(comet_post_event(on, random_.below(8), random_.below(4), random_.word()));
}

}  // namespace fuzz
