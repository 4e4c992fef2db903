// Damages images and gives them to the library: image_fuzz SEED COUNT IMAGE...
//
// A damaged image must be refused with an error or be valid; a valid one is loaded and run for a while. The
// same seed, count and images do the same. Exits with 0 when nothing went wrong; what does go wrong shows as
// a crash, a report of a sanitizer, or a broken promise that is printed with its round.
#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "../../vm-ext/comet.h"

namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t header_length = 24;
constexpr size_t checksum_length = 8;
constexpr uint64_t run_fuel = 10000;

struct Free {
  void operator()(comet_image* image) const { comet_image_free(image); }
  void operator()(comet_machine* machine) const { comet_machine_free(machine); }
};

struct Counts {
  uint64_t refused = 0;
  uint64_t valid = 0;
  uint64_t not_loaded = 0;
  uint64_t stopped[COMET_INTERRUPTED + 1] = {};
};

class Mutator {
 public:
  Mutator(uint64_t seed, const std::vector<Bytes>& originals) : random_(seed), originals_(originals) {}

  Bytes next() {
    Bytes bytes = pick(originals_);
    const uint64_t changes = below(2) == 0 ? 1 : 1 + below(4);
    for (uint64_t i = 0; i < changes; ++i) change(bytes);
    // Most files get a right length and checksum, or else nothing behind these would be looked at.
    if (below(16) != 0) put(bytes, 16, bytes.size(), 8);
    if (below(16) != 0) fix_checksum(bytes);
    return bytes;
  }

 private:
  uint64_t below(uint64_t bound) { return bound == 0 ? 0 : random_() % bound; }
  const Bytes& pick(const std::vector<Bytes>& list) { return list[below(list.size())]; }

  static void put(Bytes& bytes, size_t offset, uint64_t value, size_t length) {
    for (size_t i = 0; i < length && offset + i < bytes.size(); ++i, value >>= 8) {
      bytes[offset + i] = static_cast<uint8_t>(value);
    }
  }

  static void fix_checksum(Bytes& bytes) {
    if (bytes.size() < checksum_length) return;
    const size_t checked = bytes.size() - checksum_length;
    put(bytes, checked, XXH3_64bits(bytes.data(), checked), checksum_length);
  }

  // Values at which lengths, counts and addresses go wrong.
  uint64_t awkward() {
    static constexpr uint64_t values[] = {0,
                                          1,
                                          2,
                                          7,
                                          8,
                                          0x7f,
                                          0x80,
                                          0xff,
                                          0xffff,
                                          0x10000,
                                          0x7fffffff,
                                          0x80000000,
                                          UINT32_MAX,
                                          INT64_MAX,
                                          UINT64_MAX - 7,
                                          UINT64_MAX - 0xffff,
                                          UINT64_MAX};
    return values[below(std::size(values))] + (below(4) == 0 ? below(16) : 0);
  }

  void change(Bytes& bytes) {
    if (bytes.empty()) return;
    const size_t at = below(bytes.size());
    switch (below(8)) {
      case 0: bytes[at] ^= static_cast<uint8_t>(1u << below(8)); break;
      case 1: bytes[at] = static_cast<uint8_t>(random_()); break;
      case 2: put(bytes, at, awkward(), size_t{1} << below(4)); break;
      case 3: {  // a field of the header, the table of chunks, or the first of a chunk
        const size_t table = header_length + 24 * below(8);
        put(bytes, std::min(table + 4 * below(6), bytes.size() - 1), awkward(), below(2) == 0 ? 4 : 8);
        break;
      }
      case 4: bytes.resize(at); break;
      case 5: bytes.insert(bytes.end(), below(64), static_cast<uint8_t>(random_())); break;
      case 6: {  // a piece of another image, in place of what is here
        const Bytes& other = pick(originals_);
        const size_t from = below(other.size());
        const size_t length = std::min({below(64) + 1, other.size() - from, bytes.size() - at});
        std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(from), length,
                    bytes.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      }
      default: {  // a piece removed or repeated, so that everything behind it moves
        const size_t length = std::min<size_t>(below(32) + 1, bytes.size() - at);
        const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        const Bytes piece(first, first + static_cast<std::ptrdiff_t>(length));
        if (below(2) == 0) {
          bytes.erase(first, first + static_cast<std::ptrdiff_t>(length));
        } else {
          bytes.insert(first, piece.begin(), piece.end());
        }
        break;
      }
    }
  }

  std::mt19937_64 random_;
  const std::vector<Bytes>& originals_;
};

[[noreturn]] void broken(uint64_t round, const char* what) {
  std::printf("not ok - round %" PRIu64 ": %s\n%" PRIu64 " passed, 1 failed\n", round, what, round);
  std::exit(1);
}

void run(const comet_image* image, uint64_t round, Counts& counts) {
  comet_config config = COMET_CONFIG_INIT;
  config.window = 1 << 22;
  config.memory_limit = 1 << 22;
  config.register_limit = 1 << 16;
  config.call_depth_limit = 1 << 12;
  comet_machine* made = nullptr;
  comet_error error = COMET_ERROR_INIT;
  if (comet_machine_new(&config, &made, &error) != COMET_OK) broken(round, error.message);
  const std::unique_ptr<comet_machine, Free> machine(made);
  for (unsigned stream = 0; stream < 3; ++stream) comet_set_stream(made, stream, COMET_STREAM_NONE, nullptr);
  for (const char* group : {"clock", "random"}) comet_host_grant_standard(made, group, nullptr);
  comet_set_random_seed(made, round);
  if (comet_image_load(image, made, 0, &error) != COMET_OK) {
    if (error.message[0] == 0) broken(round, "an image is not loaded without a word of why");
    ++counts.not_loaded;
    return;
  }
  comet_stop stop = COMET_STOP_INIT;
  if (comet_run(made, 0, run_fuel, &stop, &error) != COMET_OK) broken(round, error.message);
  if (stop.executed > run_fuel) broken(round, "more instructions were executed than there was fuel");
  if (stop.reason == COMET_TRAP && stop.message[0] == 0) broken(round, "a trap has no message");
  ++counts.stopped[stop.reason];
}

// What holds for every image that the library accepts.
void check_valid(comet_image* image, uint64_t round) {
  const uint8_t* bytes = nullptr;
  size_t length = 0;
  comet_image* again = nullptr;
  if (comet_image_write(image, &bytes, &length, nullptr) != COMET_OK)
    broken(round, "a valid image cannot be written");
  if (comet_image_read(bytes, length, &again, nullptr) != COMET_OK)
    broken(round, "what was written cannot be read");
  const std::unique_ptr<comet_image, Free> owner(again);
  const uint8_t* bytes_again = nullptr;
  size_t length_again = 0;
  comet_image_write(again, &bytes_again, &length_again, nullptr);
  if (length != length_again || std::memcmp(bytes, bytes_again, length) != 0) {
    broken(round, "an image written twice differs");
  }
  comet_symbol symbol = COMET_SYMBOL_INIT;
  comet_line line = COMET_LINE_INIT;
  comet_image_symbol_at(image, comet_image_entry(image), &symbol, nullptr);
  comet_image_line_at(image, comet_image_entry(image), &line, nullptr);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) {
    std::fprintf(stderr, "usage: image_fuzz SEED COUNT IMAGE...\n");
    return 64;
  }
  const uint64_t seed = std::strtoull(arguments[1], nullptr, 0);
  const uint64_t rounds = std::strtoull(arguments[2], nullptr, 0);
  std::vector<Bytes> originals;
  for (int i = 3; i < count; ++i) {
    std::ifstream file(arguments[i], std::ios::binary);
    originals.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (!file || originals.back().empty()) {
      std::fprintf(stderr, "image_fuzz: %s cannot be read or is empty\n", arguments[i]);
      return 66;
    }
  }

  Mutator mutator(seed, originals);
  Counts counts;
  for (uint64_t round = 0; round < rounds; ++round) {
    const Bytes bytes = mutator.next();
    // A copy of the exact size, so that a sanitizer sees a read behind the end.
    const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    comet_image* read = nullptr;
    comet_error error = COMET_ERROR_INIT;
    const comet_status status = comet_image_read(exact.get(), bytes.size(), &read, &error);
    const std::unique_ptr<comet_image, Free> image(read);
    if (status == COMET_OK) {
      ++counts.valid;
      check_valid(read, round);
      run(read, round, counts);
      continue;
    }
    ++counts.refused;
    if (status != COMET_ERROR_FORMAT)
      broken(round, "a damaged image is refused, but not with COMET_ERROR_FORMAT");
    if (error.address > bytes.size()) broken(round, "the offset of an error lies behind the end of the file");
    if (error.message[0] == 0 || std::strchr(error.message, '\n') != nullptr) broken(round, "a bad message");
  }

  std::printf("images: %" PRIu64 " damaged, %" PRIu64 " refused, %" PRIu64 " valid, %" PRIu64
              " of these not loaded\n",
              rounds, counts.refused, counts.valid, counts.not_loaded);
  for (int reason = 0; reason <= COMET_INTERRUPTED; ++reason) {
    if (counts.stopped[reason] == 0) continue;
    std::printf("  ran: %" PRIu64 " %s\n", counts.stopped[reason],
                comet_reason_name(static_cast<comet_reason>(reason)));
  }
  std::printf("%" PRIu64 " passed, 0 failed\n", rounds);
  return 0;
}
