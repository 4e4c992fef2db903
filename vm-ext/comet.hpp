// comet.hpp: comet.h for C++17 and later. Handles that free themselves, errors as exceptions, and functions of C++ as
// host calls. A header alone: whatever is not here is called by comet.h on `get()`.
//
//   comet::machine m;
//   m.grant("square", [](uint32_t x) { return uint64_t{x} * x; });
//   m.load(comet::image::read(bytes));
//   const comet_stop stop = m.run();
//
// Objects move and are not copied. A machine must outlive its snapshots.
#ifndef COMET_HPP
#define COMET_HPP

#include <array>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "comet.h"

namespace comet {

using byte_vector = std::vector<uint8_t>;
using state_hash = std::array<uint8_t, 16>;

// What a function of comet.h said instead of COMET_OK.
class error : public std::runtime_error {
 public:
  explicit error(const comet_error& from) : std::runtime_error(from.message), status_(from.status), address_(from.address) {}
  comet_status status() const noexcept { return status_; }
  uint64_t address() const noexcept { return address_; }

 private:
  comet_status status_;
  uint64_t address_;
};

namespace detail {

// Calls a function of comet.h with what it fills as its last argument.
template <class Function, class... Arguments>
void checked(Function function, Arguments&&... arguments) {
  comet_error failure = COMET_ERROR_INIT;
  if (function(std::forward<Arguments>(arguments)..., &failure) != COMET_OK) throw error(failure);
}

template <auto release>
struct deleter {
  template <class Handle>
  void operator()(Handle* handle) const noexcept { release(handle); }
};

inline int append(void* to, const void* bytes, size_t length) noexcept {
  try {
    const auto* const begin = static_cast<const uint8_t*>(bytes);
    static_cast<byte_vector*>(to)->insert(static_cast<byte_vector*>(to)->end(), begin, begin + length);
    return 0;
  } catch (...) {
    return 1;
  }
}

}  // namespace detail

inline std::string describe_place(const comet_image* image, uint64_t address) {
  std::string words(comet_describe_place(image, address, nullptr, 0), '\0');
  comet_describe_place(image, address, words.data(), words.size() + 1);
  return words;
}

// ---- code ----------------------------------------------------------------------------------------------

struct operand : comet_operand {};
inline operand r(uint64_t number) { return {{COMET_OPERAND_REGISTER, number}}; }
inline operand t(uint64_t number) { return {{COMET_OPERAND_THREAD_REGISTER, number}}; }
inline operand n(int64_t number) { return {{COMET_OPERAND_NUMBER, static_cast<uint64_t>(number)}}; }
inline operand to(comet_label label) { return {{COMET_OPERAND_LABEL, label}}; }
inline operand f64(double number) {
  operand result{{COMET_OPERAND_NUMBER, 0}};
  std::memcpy(&result.value, &number, sizeof number);
  return result;
}

class code {
 public:
  explicit code(uint64_t address, const comet_isa* isa = nullptr) {
    comet_code* made = nullptr;
    detail::checked(comet_code_new, isa, address, &made);
    handle_.reset(made);
  }
  comet_label label() {
    comet_label made = 0;
    detail::checked(comet_code_label, get(), &made);
    return made;
  }
  code& place(comet_label label) {
    detail::checked(comet_code_place, get(), label);
    return *this;
  }
  // A label that is placed here.
  comet_label here() {
    const comet_label made = label();
    place(made);
    return made;
  }
  code& emit(const char* name, std::initializer_list<operand> operands = {}) {
    detail::checked(comet_code_emit, get(), name, static_cast<const comet_operand*>(operands.begin()), operands.size());
    return *this;
  }
  code& bytes(const void* bytes, size_t length) {
    detail::checked(comet_code_bytes, get(), bytes, length);
    return *this;
  }
  code& align(uint64_t alignment) {
    detail::checked(comet_code_align, get(), alignment);
    return *this;
  }
  code& pad(uint64_t address) {
    detail::checked(comet_code_pad, get(), address);
    return *this;
  }
  byte_vector finish() {
    const uint8_t* bytes = nullptr;
    size_t length = 0;
    detail::checked(comet_code_finish, get(), &bytes, &length);
    return byte_vector(bytes, bytes + length);
  }
  uint64_t address(comet_label label) const {
    uint64_t address = 0;
    detail::checked(comet_code_label_address, get(), label, &address);
    return address;
  }
  comet_code* get() const noexcept { return handle_.get(); }

 private:
  std::unique_ptr<comet_code, detail::deleter<comet_code_free>> handle_;
};

// ---- images --------------------------------------------------------------------------------------------

class image {
 public:
  image() {
    comet_image* made = nullptr;
    detail::checked(comet_image_new, &made);
    handle_.reset(made);
  }
  static image read(const void* bytes, size_t length) {
    comet_image* made = nullptr;
    detail::checked(comet_image_read, bytes, length, &made);
    return image(made);
  }
  static image read(const byte_vector& bytes) { return read(bytes.data(), bytes.size()); }

  image& section(const char* name, uint64_t address, const byte_vector& bytes, int protection, uint64_t memory_length = 0) {
    detail::checked(comet_image_add_section, get(), name, address, bytes.data(), bytes.size(),
                    memory_length < bytes.size() ? bytes.size() : memory_length, protection);
    return *this;
  }
  image& symbol(const char* name, uint64_t value) {
    detail::checked(comet_image_add_symbol, get(), name, value);
    return *this;
  }
  image& import(const char* name) {
    detail::checked(comet_image_add_import, get(), name);
    return *this;
  }
  image& entry(uint64_t address) {
    detail::checked(comet_image_set_entry, get(), address);
    return *this;
  }
  byte_vector write() {
    const uint8_t* bytes = nullptr;
    size_t length = 0;
    detail::checked(comet_image_write, get(), &bytes, &length);
    return byte_vector(bytes, bytes + length);
  }
  comet_image* get() const noexcept { return handle_.get(); }

 private:
  friend class linker;
  explicit image(comet_image* made) : handle_(made) {}
  std::unique_ptr<comet_image, detail::deleter<comet_image_free>> handle_;
};

// Objects and archives, of which images are made.
class linker {
 public:
  linker() {
    comet_linker* made = nullptr;
    detail::checked(comet_linker_new, &made);
    handle_.reset(made);
  }
  linker& add(const char* name, const byte_vector& bytes) {
    detail::checked(comet_linker_add, get(), name, bytes.data(), bytes.size());
    return *this;
  }
  image link(const char* entry = nullptr) const {
    comet_image* made = nullptr;
    detail::checked(comet_linker_link, get(), entry, &made);
    return image(made);
  }
  comet_linker* get() const noexcept { return handle_.get(); }

 private:
  std::unique_ptr<comet_linker, detail::deleter<comet_linker_free>> handle_;
};

// ---- host calls ----------------------------------------------------------------------------------------

// A call under way, for functions that want one as their first parameter.
class call {
 public:
  explicit call(comet_call* handle) : handle_(handle) {}
  comet_call* get() const noexcept { return handle_; }
  comet_thread thread() const noexcept { return comet_call_thread(handle_); }
  comet_machine* machine() const noexcept { return comet_call_machine(handle_); }

 private:
  comet_call* handle_;
};

// Memory of the guest that it may read, as a parameter: an address and a length.
class bytes {
 public:
  bytes(comet_call* call, uint64_t address, uint64_t length) : call_(call), address_(address), length_(length) {}
  uint64_t address() const noexcept { return address_; }
  uint64_t size() const noexcept { return length_; }
  std::string text() const {
    std::string copy(static_cast<size_t>(length_), '\0');
    if (comet_call_read(call_, address_, copy.data(), copy.size()) != COMET_OK) throw std::runtime_error("memory that may not be read");
    return copy;
  }

 protected:
  comet_call* call_;
  uint64_t address_, length_;
};

// The same to be written.
class buffer : public bytes {
 public:
  using bytes::bytes;
  // Copies as much as there is room for; how much that was.
  uint64_t write(const void* from, size_t length) {
    const size_t copied = length_ < length ? static_cast<size_t>(length_) : length;
    if (comet_call_write(call_, address_, from, copied) != COMET_OK) throw std::runtime_error("memory that may not be written");
    return copied;
  }
};

namespace detail {

// How a parameter of C++ comes from arguments of a host call, from argument n on, which goes behind them.
template <class T>
struct parameter {
  static_assert(std::is_arithmetic_v<T>, "parameters of host calls are numbers, comet::call, comet::bytes, comet::buffer and std::string");
  static std::string type() {
    if constexpr (std::is_floating_point_v<T>) return sizeof(T) == 8 ? "f64 " : "f32 ";
    else return std::string(std::is_signed_v<T> ? "i" : "u") + (sizeof(T) == 8 ? "64 " : "32 ");
  }
  static T take(comet_call* call, unsigned& n) {
    const uint64_t bits = comet_call_argument(call, n++);
    if constexpr (std::is_floating_point_v<T>) {
      T value;
      const auto low = static_cast<std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>>(bits);
      std::memcpy(&value, &low, sizeof value);
      return value;
    } else {
      static_assert(sizeof(T) >= 4, "integers of host calls have 32 or 64 bits");
      return static_cast<T>(bits);
    }
  }
};

template <>
struct parameter<comet::call> {
  static std::string type() { return ""; }
  static comet::call take(comet_call* call, unsigned&) { return comet::call(call); }
};

template <class Memory>
struct memory_parameter {
  static std::string type() { return std::is_same_v<Memory, buffer> ? "buffer " : "bytes "; }
  static Memory take(comet_call* call, unsigned& n) {
    const uint64_t address = comet_call_argument(call, n++);
    return Memory(call, address, comet_call_argument(call, n++));
  }
};
template <>
struct parameter<bytes> : memory_parameter<bytes> {};
template <>
struct parameter<buffer> : memory_parameter<buffer> {};

template <>
struct parameter<std::string> {
  static std::string type() { return "string "; }
  static std::string take(comet_call* call, unsigned& n) {
    std::string text;
    const uint64_t address = comet_call_argument(call, n++);
    char character = 0;
    while (comet_call_read(call, address + text.size(), &character, 1) == COMET_OK && character != 0) text += character;
    return text;
  }
};

inline void give_result(comet_call* call, double value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  comet_call_result(call, bits);
}
template <class T, class = std::enable_if_t<std::is_integral_v<T>>>
void give_result(comet_call* call, T value) { comet_call_result(call, static_cast<uint64_t>(value)); }

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

template <class Function, class Result, class... Parameters>
struct served {
  static std::string signature() { return (std::string() + ... + parameter<std::decay_t<Parameters>>::type()); }

  static comet_status serve(comet_call* call, void* data) {
    try {
      unsigned n = 0;
      // Braces, so that the arguments are taken from left to right.
      std::tuple<std::decay_t<Parameters>...> arguments{parameter<std::decay_t<Parameters>>::take(call, n)...};
      Function& function = *static_cast<Function*>(data);
      if constexpr (std::is_void_v<Result>) {
        std::apply(function, std::move(arguments));
      } else if constexpr (is_optional<Result>::value) {
        const Result result = std::apply(function, std::move(arguments));
        if (!result) return COMET_ERROR_STATE;
        give_result(call, *result);
      } else {
        give_result(call, std::apply(function, std::move(arguments)));
      }
      return COMET_OK;
    } catch (const std::exception& exception) {
      return comet_call_fail(call, exception.what());
    } catch (...) {
      return comet_call_fail(call, "an exception that is no std::exception");
    }
  }
};

template <class Function, class Member>
struct served_by;
template <class Function, class Class, class Result, class... Parameters>
struct served_by<Function, Result (Class::*)(Parameters...) const> : served<Function, Result, Parameters...> {};
template <class Function, class Class, class Result, class... Parameters>
struct served_by<Function, Result (Class::*)(Parameters...)> : served<Function, Result, Parameters...> {};

}  // namespace detail

// ---- states, machines ----------------------------------------------------------------------------------

class machine;

// A machine's state: captured in memory, or read from a file.
class state {
 public:
  static state read(const void* bytes, size_t length, const state* base = nullptr) {
    comet_state* made = nullptr;
    detail::checked(comet_state_read, bytes, length, base == nullptr ? nullptr : base->get(), &made);
    return state(made);
  }
  static state read(const byte_vector& bytes, const state* base = nullptr) { return read(bytes.data(), bytes.size(), base); }
  // From a stream: source(bytes, room) gives up to so many, waiting for the first, and 0 at the end. What it throws
  // becomes an error of comet.h.
  template <class Source>
  static state read_from(Source&& source, uint64_t limit, const state* base = nullptr) {
    const comet_source give = [](void* data, void* bytes, size_t room) -> int64_t {
      try {
        return static_cast<int64_t>((*static_cast<std::remove_reference_t<Source>*>(data))(bytes, room));
      } catch (...) {
        return -1;
      }
    };
    comet_state* made = nullptr;
    detail::checked(comet_state_read_from, give, const_cast<void*>(static_cast<const void*>(&source)), limit,
                    base == nullptr ? nullptr : base->get(), &made);
    return state(made);
  }
  comet_state* get() const noexcept { return handle_.get(); }

 private:
  friend class machine;
  explicit state(comet_state* made) : handle_(made) {}
  std::unique_ptr<comet_state, detail::deleter<comet_state_free>> handle_;
};

class snapshot {
 public:
  snapshot(snapshot&& other) noexcept
      : machine_(std::exchange(other.machine_, nullptr)), handle_(std::exchange(other.handle_, nullptr)) {}
  snapshot& operator=(snapshot&& other) noexcept {
    std::swap(machine_, other.machine_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~snapshot() { comet_snapshot_free(machine_, handle_); }
  void restore() const { detail::checked(comet_snapshot_restore, machine_, handle_); }
  comet_snapshot* get() const noexcept { return handle_; }

 private:
  friend class machine;
  snapshot(comet_machine* of, comet_snapshot* handle) : machine_(of), handle_(handle) {}
  comet_machine* machine_;
  comet_snapshot* handle_;
};

class machine {
 public:
  machine() : machine(nullptr) {}
  explicit machine(const comet_config& config) : machine(&config) {}
  machine(const comet_config& config, const comet_allocator& allocator) : machine(&config, &allocator) {}
  static machine of(comet_machine* handle) { return machine(owned{handle}); }

  // Memory, of space 0 where none is named.
  void map(uint64_t address, uint64_t length, int protection, comet_space space = 0) {
    detail::checked(comet_map, get(), space, address, length, protection);
  }
  void unmap(uint64_t address, uint64_t length, comet_space space = 0) {
    detail::checked(comet_unmap, get(), space, address, length);
  }
  void write(uint64_t address, const void* bytes, size_t length, comet_space space = 0) {
    detail::checked(comet_write, get(), space, address, bytes, length);
  }
  void write(uint64_t address, const byte_vector& bytes, comet_space space = 0) {
    write(address, bytes.data(), bytes.size(), space);
  }
  byte_vector read(uint64_t address, size_t length, comet_space space = 0) const {
    byte_vector bytes(length);
    detail::checked(comet_read, get(), space, address, bytes.data(), length);
    return bytes;
  }
  // A value as the host lays it out; guests are little-endian.
  template <class T>
  T read_value(uint64_t address, comet_space space = 0) const {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    detail::checked(comet_read, get(), space, address, &value, sizeof value);
    return value;
  }

  // Registers of the innermost activation.
  uint64_t get_register(uint64_t index, comet_thread thread = 0) const {
    uint64_t value = 0;
    detail::checked(comet_get_register, get(), thread, uint64_t{0}, index, &value);
    return value;
  }
  void set_register(uint64_t index, uint64_t value, comet_thread thread = 0) {
    detail::checked(comet_set_register, get(), thread, uint64_t{0}, index, value);
  }
  void restart(uint64_t pc, comet_thread thread = 0) { detail::checked(comet_thread_restart, get(), thread, pc); }
  comet_thread new_thread(uint64_t pc, comet_space space = 0) {
    comet_thread made = 0;
    detail::checked(comet_thread_new, get(), space, pc, &made);
    return made;
  }

  void load(const image& program, comet_space space = 0) { detail::checked(comet_image_load, program.get(), get(), space); }
  // How many of the host's threads a run of COMET_EVERY_THREAD may use; 0: threads take turns.
  void set_host_threads(uint32_t most) { detail::checked(comet_set_host_threads, get(), most); }
  comet_stop run(uint64_t fuel = UINT64_MAX, comet_thread thread = 0) {
    comet_stop stop = COMET_STOP_INIT;
    detail::checked(comet_run, get(), thread, fuel, &stop);
    return stop;
  }

  comet_limits limits() const {
    comet_limits limits = COMET_LIMITS_INIT;
    detail::checked(comet_get_limits, get(), &limits);
    return limits;
  }
  void set_limits(const comet_limits& limits) { detail::checked(comet_set_limits, get(), &limits); }

  // Serves a host call by a function object. Its parameters make the signature: integers and floating-point numbers of
  // 32 or 64 bits, comet::bytes, comet::buffer, std::string, and a comet::call in front, which takes no argument. What
  // it returns is the result; a std::optional without a value leaves the call to the embedder. What it throws becomes a
  // trap. It lives as long as a machine has the grant: this one, or a fork.
  template <class Function>
  void grant(const char* name, Function function, comet_grant_options options = COMET_GRANT_OPTIONS_INIT) {
    using serving = detail::served_by<Function, decltype(&Function::operator())>;
    const std::string signature = serving::signature();
    auto kept = std::make_unique<Function>(std::move(function));
    options.signature = signature.c_str();
    options.release = [](void* data) { delete static_cast<Function*>(data); };
    detail::checked(comet_host_grant_with, get(), name, &serving::serve, static_cast<void*>(kept.get()), &options);
    kept.release();
  }
  // Leaves every call of that name to the embedder.
  void grant(const char* name) { detail::checked(comet_host_grant, get(), name, nullptr, nullptr); }
  void grant_standard(const char* group) { detail::checked(comet_host_grant_standard, get(), group); }
  void revoke(const char* name) { detail::checked(comet_host_revoke, get(), name); }
  uint32_t import(const char* name) {
    uint32_t index = 0;
    detail::checked(comet_host_import, get(), name, &index);
    return index;
  }

  // A host call that waits for the embedder.
  uint64_t argument(unsigned n, comet_thread thread = 0) const {
    uint64_t value = 0;
    detail::checked(comet_host_argument, get(), thread, n, &value);
    return value;
  }
  void complete(uint64_t result, comet_thread thread = 0) { detail::checked(comet_host_complete, get(), thread, result); }
  void fail(const char* message, comet_thread thread = 0) { detail::checked(comet_host_fail, get(), thread, message); }

  comet::snapshot snapshot() {
    comet_snapshot* taken = nullptr;
    detail::checked(comet_snapshot_take, get(), &taken);
    return comet::snapshot(get(), taken);
  }
  comet::state capture() const {
    comet_state* captured = nullptr;
    detail::checked(comet_state_capture, get(), nullptr, &captured);
    return comet::state(captured);
  }
  byte_vector save() const {
    byte_vector file;
    detail::checked(comet_state_save, get(), nullptr, detail::append, static_cast<void*>(&file), nullptr);
    return file;
  }
  // To a stream, piece by piece: sink(bytes, length) says whether it took them. Pages that the base has are left out;
  // what is given is a base for the next.
  template <class Sink>
  comet::state save_to(Sink&& sink, const comet::state* base = nullptr) const {
    const comet_sink take = [](void* data, const void* bytes, size_t length) {
      try {
        return (*static_cast<std::remove_reference_t<Sink>*>(data))(bytes, length) ? 0 : 1;
      } catch (...) {
        return 1;
      }
    };
    comet_save_options options = COMET_SAVE_OPTIONS_INIT;
    options.base = base == nullptr ? nullptr : base->get();
    comet_state* kept = nullptr;
    detail::checked(comet_state_save, get(), &options, take, const_cast<void*>(static_cast<const void*>(&sink)), &kept);
    return comet::state(kept);
  }
  void restore(const comet::state& from) { detail::checked(comet_state_restore, get(), from.get()); }
  // Another machine in this one's state, or in a captured one.
  machine fork() const { return forked(nullptr); }
  machine fork(const comet::state& from) const { return forked(from.get()); }
  comet::state_hash hash() const {
    comet::state_hash hash{};
    detail::checked(comet_state_hash, get(), hash.data());
    return hash;
  }

  comet_machine* get() const noexcept { return handle_.get(); }

 private:
  struct owned {
    comet_machine* handle;
  };
  explicit machine(owned made) : handle_(made.handle) {}
  explicit machine(const comet_config* config, const comet_allocator* allocator = nullptr) {
    comet_machine* made = nullptr;
    detail::checked(comet_machine_new_with, config, allocator, &made);
    handle_.reset(made);
  }
  machine forked(const comet_state* from) const {
    comet_machine* made = nullptr;
    detail::checked(comet_machine_fork, get(), from, &made);
    return machine(owned{made});
  }
  std::unique_ptr<comet_machine, detail::deleter<comet_machine_free>> handle_;
};

}  // namespace comet

#endif
