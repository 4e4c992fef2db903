// Random sequences of calls of comet.h, with arguments that are right, awkward and wrong.
#ifndef COMET_TESTS_FUZZ_API_CALLS_H
#define COMET_TESTS_FUZZ_API_CALLS_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/fuzz/random_program.h"
#include "tests/fuzz/target.h"

namespace fuzz {

// A few machines and whatever belongs to them. Each call is checked as it returns; all is freed at the end.
class api_calls {
 public:
  // The bytes, which have to stay, decide what is called with what. traced: each call is told of before it is made.
  api_calls(const std::uint8_t* bytes, std::size_t length, bool traced);
  ~api_calls();
  api_calls(const api_calls&) = delete;
  api_calls& operator=(const api_calls&) = delete;

  // As many steps as the bytes are enough for, most of which are a call. Throws broken_promise.
  void take();
  // Frees everything. Throws broken_promise where data that was given with a release function is not released
  // once.
  void end();

  // Of every status, stop and hash so far: the same bytes give the same, unless threads ran at the same time.
  std::uint64_t checksum() const { return parallel_ ? 0 : checksum_; }
  std::uint64_t calls() const { return calls_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t instructions() const { return instructions_; }

 private:
  using hash = std::array<std::uint8_t, 16>;
  struct snapshot {
    comet_snapshot* taken;
    hash then;
  };
  struct machine {
    comet_machine* made = nullptr;
    std::vector<snapshot> snapshots;
  };
  struct state {
    comet_state* taken;
    hash then;
    bool known;  // its hash is
  };

  template <class Call>
  comet_status call(const char* name, comet_machine* on, Call&& made);
  void require(bool kept, const char* name, const char* promise);
  void note(std::uint64_t value) { checksum_ = (checksum_ ^ value) * 0x100000001b3 + 1; }
  hash hash_of(const comet_machine* machine);
  void require_hash(const comet_machine* machine, const hash& expected, const char* name);

  std::uint64_t address();
  std::uint64_t pages_address();
  std::uint64_t length();
  std::uint64_t awkward();
  int protection();
  comet_space space() {
    return static_cast<comet_space>(random_.one_in(30) ? awkward() : random_.below(1 + random_.below(3)));
  }
  comet_thread thread() {
    return static_cast<comet_thread>(random_.one_in(30) ? awkward() : random_.below(1 + random_.below(3)));
  }
  std::size_t size(std::size_t right);
  const char* host_name();
  const char* group(const char* wrong);
  program random_program();
  machine& any() { return machines_[random_.below(machines_.size())]; }
  comet_machine* any_made();
  template <class Kind>
  Kind* any_of(const std::vector<Kind*>& list);
  const comet_state* any_state();
  template <class Type>
  Type* at(Type& place) {
    return random_.one_in(60) ? nullptr : &place;
  }

  void step();
  comet_allocator allocator();
  void make_machine();
  void ready(comet_machine* machine);
  void free_machine(machine& which);
  void reset();
  void limits();
  void memory();
  void spaces();
  void transfer();
  void threads();
  void registers();
  program calling_program();
  void load_program();
  void run();
  void observe();
  void look_at_stop(const comet_stop& stop, std::uint64_t fuel);
  void stops();
  void snapshots();
  void timeline();
  void grants();
  void waiting_calls();
  void surroundings();
  void events();
  void save();
  void capture();
  void fork();
  void restore();
  void record();
  void images();
  void code();
  void instructions_of_own();
  void questions();

  void drop_state(std::size_t n);
  comet_save_options save_options(const comet_stop& stop);

  static comet_status serve(comet_call* call, void* data);
  static comet_status serve_quietly(comet_call* call, void* data);
  static int append(void* data, const void* bytes, std::size_t length);
  static int count_poll(void* data);
  static void hear(void* data, const char* line);
  static void release(void* data);

  random_source random_;
  const bool traced_;
  const bool may_be_parallel_;
  bool parallel_ = false;   // threads of some machine did run at the same time, or may have
  std::size_t taken_ = 0;   // bytes, from the allocator
  std::array<machine, 3> machines_;
  std::vector<state> states_;
  std::vector<comet_image*> images_;
  std::vector<comet_code*> codes_;
  std::vector<comet_profile*> profiles_;
  std::vector<std::uint32_t> kept_logs_;
  std::vector<std::uint8_t> buffer_, recording_;
  unsigned depth_ = 0;  // of host calls under way
  unsigned polls_left_ = 0;
  std::uint64_t granted_ = 0, released_ = 0;
  std::uint64_t checksum_ = 0, calls_ = 0, refused_ = 0, instructions_ = 0;
  std::string broken_;  // what was found in a host call, from which nothing may be thrown
};

}  // namespace fuzz

#endif
