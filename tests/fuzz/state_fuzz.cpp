// Damages states and recordings and gives them to the library: state_fuzz [-o FOLDER] SEED COUNT [FILE...]
//
// A damaged file must be refused with an error or be valid; a valid one is restored, its log loaded, and run
// for a while, saved and read again. It begins from files that it makes itself, and from those that are
// named. The same seed and count do the same. Exits with 0 when nothing went wrong. With -o it writes the damaged
// files into the folder, as 0, 1 and so on, and does nothing else: for those who read them by other ways.
#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "../../vm-ext/comet.h"
#include "random.h"

namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t header_length = 16;
constexpr size_t record_overhead = 24;
constexpr uint64_t run_fuel = 5000;

struct Free {
  void operator()(comet_state* state) const { comet_state_free(state); }
  void operator()(comet_machine* machine) const { comet_machine_free(machine); }
};
using State = std::unique_ptr<comet_state, Free>;
using Machine = std::unique_ptr<comet_machine, Free>;

[[noreturn]] void broken(uint64_t round, const char* what) {
  std::printf("not ok - round %" PRIu64 ": %s\n%" PRIu64 " passed, 1 failed\n", round, what, round);
  std::exit(1);
}

int append(void* data, const void* part, size_t length) {
  auto* to = static_cast<Bytes*>(data);
  const auto* begin = static_cast<const uint8_t*>(part);
  to->insert(to->end(), begin, begin + length);
  return 0;
}

// A machine of the limits that the files were made with, so that recordings fit it.
Machine make_machine() {
  comet_config config = COMET_CONFIG_INIT;
  config.window = 1 << 22;
  config.memory_limit = 1 << 22;
  config.register_limit = 1 << 12;
  config.call_depth_limit = 1 << 8;
  comet_machine* made = nullptr;
  if (comet_machine_new(&config, &made, nullptr) != COMET_OK) broken(0, "there is no machine");
  for (unsigned stream = 0; stream < 3; ++stream) comet_set_stream(made, stream, COMET_STREAM_NONE, nullptr);
  for (const char* group : {"clock", "random"}) comet_host_grant_standard(made, group, nullptr);
  comet_host_grant(made, "ask", nullptr, nullptr, nullptr);
  return Machine(made);
}

// ---- files to begin from -----------------------------------------------------------------------------

// Calls itself, stores in two places, draws random numbers, asks.
constexpr uint64_t origin = 0x10000;
Bytes program() {
  const char* const text[][4] = {{"imm", "1", "40"},       {"imm", "2", "131072"}, {"imm", "11", "131328"},
                                 {"imm", "12", "9"},       {"hcall", "10", "0"},   {"hcall", "10", "1"},
                                 {"st64", "2", "11", "8"}, {"tset", "3", "11"},    {"call", "10", "p4"},
                                 {"addi", "1", "1", "1"},  {"jump", "p-27"},       {"halt"}};
  Bytes code;
  const auto emit = [&](uint64_t value) {
    for (; value > 127; value >>= 7) code.push_back(static_cast<uint8_t>(value | 128));
    code.push_back(static_cast<uint8_t>(value));
  };
  for (const auto& line : text) {
    comet_instruction instruction = COMET_INSTRUCTION_INIT;
    for (size_t n = 0; comet_isa_instruction(n, &instruction, nullptr) == COMET_OK &&
                       std::strcmp(instruction.name, line[0]) != 0;)
      ++n;
    emit(instruction.opcode);
    for (size_t i = 0; instruction.operands[i] != 0; ++i) {
      const char* word = line[i + 1];
      const int64_t value = std::strtoll(word[0] == 'p' ? word + 1 : word, nullptr, 10);
      const bool is_signed = std::strchr("pio", instruction.operands[i]) != nullptr;
      emit(is_signed ? (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63)
                     : static_cast<uint64_t>(value));
    }
  }
  return code;
}

void run_on(comet_machine* machine, uint64_t fuel) {
  comet_stop stop = COMET_STOP_INIT;
  while (comet_run(machine, 0, fuel, &stop, nullptr) == COMET_OK && stop.reason == COMET_HOST_CALL &&
         fuel > stop.executed) {
    fuel -= stop.executed + 1;
    comet_write(machine, 0, 0x20100, &fuel, sizeof fuel, nullptr);
    comet_host_complete(machine, 0, fuel, nullptr);
  }
}

std::vector<Bytes> originals() {
  std::vector<Bytes> files(4);
  const Machine machine = make_machine();
  const Bytes code = program();
  comet_image* image = nullptr;
  comet_image_new(&image, nullptr);
  comet_image_add_section(image, ".text", origin, code.data(), code.size(), code.size(),
                          COMET_READ | COMET_EXECUTE, nullptr);
  comet_image_add_section(image, ".data", 0x20000, nullptr, 0, 0x30000, COMET_READ | COMET_WRITE, nullptr);
  comet_image_add_symbol(image, "main", origin, nullptr);
  for (const char* name : {"random", "ask"}) comet_image_add_import(image, name, nullptr);
  comet_image_set_entry(image, origin, nullptr);
  const uint8_t nop[] = {0, 1, 1};
  comet_definition own = COMET_DEFINITION_INIT;
  own.name = "own";
  own.opcode = 1024;
  own.operands = "";
  own.meaning = "nothing";
  own.body = nop;
  own.length = sizeof nop;
  if (comet_image_add_instruction(image, &own, nullptr) != COMET_OK)
    broken(0, "there is no instruction of one's own");
  if (comet_image_load(image, machine.get(), 0, nullptr) != COMET_OK) broken(0, "the program is not loaded");
  const char* const arguments[] = {"program", "argument"};
  comet_set_arguments(machine.get(), 2, arguments, nullptr);
  comet_set_random_seed(machine.get(), 1);
  comet_timeline_start(machine.get(), 1 << 20, nullptr);
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.image = image;
  comet_state* kept = nullptr;
  comet_state_save(machine.get(), &options, append, &files[0], &kept, nullptr);
  comet_record_start(machine.get(), &options, append, &files[1], nullptr);
  run_on(machine.get(), 300);
  comet_stop stop = COMET_STOP_INIT;
  comet_run(machine.get(), 0, 2, &stop, nullptr);
  options.stop = &stop;
  comet_record_stop(machine.get(), &options, nullptr);
  comet_thread thread = 0;
  comet_space space = 0;
  comet_space_new(machine.get(), &space, nullptr);
  comet_map(machine.get(), space, 0, 0x20000, COMET_READ, nullptr);
  comet_thread_new(machine.get(), space, 5, &thread, nullptr);
  comet_state_save(machine.get(), &options, append, &files[2], nullptr, nullptr);
  options.base = kept;
  comet_state_save(machine.get(), &options, append, &files[3], nullptr, nullptr);
  comet_state_free(kept);
  comet_image_free(image);
  return files;
}

// ---- damage ------------------------------------------------------------------------------------------

uint64_t number_at(const Bytes& bytes, size_t offset, size_t length) {
  uint64_t value = 0;
  for (size_t i = length; i-- > 0;) value = value << 8 | bytes[offset + i];
  return value;
}

void put(Bytes& bytes, size_t offset, uint64_t value, size_t length) {
  for (size_t i = 0; i < length && offset + i < bytes.size(); ++i, value >>= 8)
    bytes[offset + i] = static_cast<uint8_t>(value);
}

struct Place {
  size_t content;
  size_t length;
  size_t end;
};

// The records as far as their lengths make sense.
std::vector<Place> records(const Bytes& bytes) {
  std::vector<Place> found;
  for (size_t at = header_length; at + record_overhead <= bytes.size();) {
    const uint64_t length = number_at(bytes, at + 8, 8);
    if (length > bytes.size() - at - record_overhead) break;
    const size_t end = at + record_overhead + (static_cast<size_t>(length) + 7) / 8 * 8;
    if (end > bytes.size()) break;
    found.push_back({at + 16, static_cast<size_t>(length), end});
    at = end;
  }
  return found;
}

class Mutator {
 public:
  Mutator(uint64_t seed, const std::vector<Bytes>& originals) : random_(seed), originals_(originals) {}

  Bytes next() {
    Bytes bytes = originals_[random_.below(originals_.size())];
    const uint64_t changes = random_.one_in(2) ? 1 : 1 + random_.below(4);
    for (uint64_t i = 0; i < changes; ++i) change(bytes);
    // Most files get right checksums, or else nothing behind these would be looked at.
    if (!random_.one_in(16)) seal(bytes);
    return bytes;
  }

 private:
  uint64_t awkward() {
    return random_.one_of({0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
                           UINT32_MAX, INT64_MAX, UINT64_MAX - 7, uint64_t{1} << 48, UINT64_MAX}) +
           (random_.one_in(4) ? random_.below(16) : 0);
  }

  static void seal(Bytes& bytes) {
    if (bytes.size() < header_length) return;
    uint64_t checksum = XXH3_64bits(bytes.data(), header_length);
    for (const Place& record : records(bytes)) {
      const size_t begin = record.content - 16;
      checksum = XXH3_64bits_withSeed(&bytes[begin], record.end - 8 - begin, checksum);
      put(bytes, record.end - 8, checksum, 8);
    }
  }

  void change(Bytes& bytes) {
    const std::vector<Place> all = records(bytes);
    if (all.empty()) return;
    const Place record = all[random_.below(all.size())];
    // Near the beginning of a record's content, where its numbers are.
    const size_t near = record.content + random_.below(std::min<size_t>(record.length + 1, 256));
    const size_t at = std::min(random_.one_in(3) ? random_.below(bytes.size()) : near, bytes.size() - 1);
    const auto begin = bytes.begin();
    const auto first = static_cast<std::ptrdiff_t>(record.content - 16),
               end = static_cast<std::ptrdiff_t>(record.end);
    switch (random_.below(8)) {
      case 0: bytes[at] ^= static_cast<uint8_t>(1u << random_.below(8)); break;
      case 1: bytes[at] = static_cast<uint8_t>(random_.word()); break;
      case 2:
      case 3: put(bytes, at, awkward(), size_t{1} << random_.below(4)); break;
      case 4: bytes.resize(random_.one_in(2) ? at : record.end); break;
      case 5: bytes.erase(begin + first, begin + end); break;
      case 6: {  // a record twice, or one of another file
        const Bytes& other = originals_[random_.below(originals_.size())];
        const std::vector<Place> others = records(other);
        const Place& taken = others[random_.below(others.size())];
        bytes.insert(begin + end, other.begin() + static_cast<std::ptrdiff_t>(taken.content - 16),
                     other.begin() + static_cast<std::ptrdiff_t>(taken.end));
        break;
      }
      default: {  // a record that is shorter or longer
        const size_t length = random_.below(record.length + 40);
        Bytes content(begin + first + 16,
                      begin + first + 16 + static_cast<std::ptrdiff_t>(std::min(length, record.length)));
        content.resize(length, static_cast<uint8_t>(random_.word()));
        content.resize((length + 7) / 8 * 8 + 8);
        put(bytes, record.content - 8, length, 8);
        bytes.erase(bytes.begin() + first + 16, bytes.begin() + end);
        bytes.insert(bytes.begin() + first + 16, content.begin(), content.end());
      }
    }
  }

  fuzz::random_source random_;
  const std::vector<Bytes>& originals_;
};

struct Counts {
  uint64_t refused = 0, valid = 0, not_restored = 0, replayed = 0;
};

// What holds for every file that the library accepts.
void check_valid(const comet_state* state, uint64_t round, Counts& counts) {
  comet_error error = COMET_ERROR_INIT;
  comet_state_info info = COMET_STATE_INFO_INIT;
  if (comet_state_get(state, &info, &error) != COMET_OK) broken(round, error.message);
  const Machine machine = make_machine();
  if (comet_state_restore(machine.get(), state, &error) != COMET_OK) {
    if (error.message[0] == 0) broken(round, "a state is not restored without a word of why");
    ++counts.not_restored;
    return;
  }
  Bytes again;
  if (comet_state_save(machine.get(), nullptr, append, &again, nullptr, &error) != COMET_OK)
    broken(round, error.message);
  comet_state* read = nullptr;
  if (comet_state_read(again.data(), again.size(), nullptr, &read, &error) != COMET_OK)
    broken(round, error.message);
  const State owner(read);
  if (info.recording && comet_timeline_load(machine.get(), state, 1 << 20, nullptr) == COMET_OK)
    ++counts.replayed;
  run_on(machine.get(), run_fuel);
}

int write_all(const std::string& folder, Mutator& mutator, uint64_t rounds) {
  for (uint64_t round = 0; round < rounds; ++round) {
    const Bytes bytes = mutator.next();
    std::ofstream file(folder + "/" + std::to_string(round), std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) {
      std::fprintf(stderr, "state_fuzz: %s cannot be written into\n", folder.c_str());
      return 73;
    }
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::string folder;
  if (count >= 3 && std::strcmp(arguments[1], "-o") == 0) {
    folder = arguments[2];
    count -= 2;
    arguments += 2;
  }
  if (count < 3) {
    std::fprintf(stderr, "usage: state_fuzz [-o FOLDER] SEED COUNT [FILE...]\n");
    return 64;
  }
  const uint64_t seed = std::strtoull(arguments[1], nullptr, 0);
  const uint64_t rounds = std::strtoull(arguments[2], nullptr, 0);
  std::vector<Bytes> files = originals();
  for (int i = 3; i < count; ++i) {
    std::ifstream file(arguments[i], std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (!file || files.back().empty()) {
      std::fprintf(stderr, "state_fuzz: %s cannot be read or is empty\n", arguments[i]);
      return 66;
    }
  }
  comet_state* first = nullptr;
  if (comet_state_read(files[0].data(), files[0].size(), nullptr, &first, nullptr) != COMET_OK)
    broken(0, "the base is not read");
  const State base(first);

  Mutator mutator(seed, files);
  if (!folder.empty()) return write_all(folder, mutator, rounds);
  Counts counts;
  for (uint64_t round = 0; round < rounds; ++round) {
    const Bytes bytes = round < files.size() ? files[round] : mutator.next();
    // A copy of the exact size, so that a sanitizer sees a read behind the end.
    const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size() + 1]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    comet_state* read = nullptr;
    comet_error error = COMET_ERROR_INIT;
    const comet_status status = comet_state_read(exact.get(), bytes.size(), base.get(), &read, &error);
    const State state(read);
    if (status == COMET_OK) {
      ++counts.valid;
      check_valid(read, round, counts);
      continue;
    }
    if (round < files.size()) broken(round, error.message);
    ++counts.refused;
    if (status != COMET_ERROR_FORMAT && status != COMET_ERROR_STATE)
      broken(round, "a damaged file is refused, but with another status");
    if (error.address > bytes.size()) broken(round, "the offset of an error lies behind the end of the file");
    if (error.message[0] == 0 || std::strchr(error.message, '\n') != nullptr) broken(round, "a bad message");
  }
  std::printf("states: %" PRIu64 " damaged, %" PRIu64 " refused, %" PRIu64 " valid, %" PRIu64
              " of these not restored, %" PRIu64 " replayed\n",
              rounds, counts.refused, counts.valid, counts.not_restored, counts.replayed);
  std::printf("%" PRIu64 " passed, 0 failed\n", rounds);
  return 0;
}
