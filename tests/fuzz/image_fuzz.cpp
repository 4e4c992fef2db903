// Images. A damaged one is refused with an error or valid; a valid one reads the same when it was written again, and is
// loaded and run for a while.
#include <cinttypes>
#include <cstring>
#include <memory>
#include <string>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "allocations.h"
#include "damage.h"
#include "random_program.h"

namespace fuzz {
namespace {

constexpr std::size_t header_length = 24;
constexpr std::size_t checksum_length = 8;
constexpr std::uint64_t run_fuel = 10000;

struct deleter {
  void operator()(comet_image* image) const { comet_image_free(image); }
  void operator()(comet_machine* machine) const { comet_machine_free(machine); }
};
using image_pointer = std::unique_ptr<comet_image, deleter>;

struct {
  std::uint64_t refused, valid, not_loaded, stopped[COMET_LIMIT + 1];
} counts;

void run(const comet_image* image) {
  comet_config config = COMET_CONFIG_INIT;
  config.window = 1 << 22;
  config.memory_limit = 1 << 22;
  config.register_limit = 1 << 16;
  config.call_depth_limit = 1 << 12;
  comet_machine* made = nullptr;
  comet_error error = COMET_ERROR_INIT;
  require(comet_machine_new(&config, &made, &error) == COMET_OK, error.message);
  const std::unique_ptr<comet_machine, deleter> machine(made);
  for (unsigned stream = 0; stream < 3; ++stream) comet_set_stream(made, stream, COMET_STREAM_NONE, nullptr);
  comet_host_grant_standard(made, "random", nullptr);
  comet_set_random_seed(made, 1);
  if (comet_image_load(image, made, 0, &error) != COMET_OK) {
    require(error.message[0] != 0, "an image is not loaded without a word of why");
    ++counts.not_loaded;
    return;
  }
  comet_stop stop = COMET_STOP_INIT;
  require(comet_run(made, COMET_EVERY_THREAD, run_fuel, &stop, &error) == COMET_OK, error.message);
  require(stop.executed <= run_fuel, "more instructions were executed than there was fuel");
  require(stop.reason != COMET_TRAP || stop.message[0] != 0, "a trap has no message");
  ++counts.stopped[stop.reason];
}

// What holds for every image that the library accepts.
void check_valid(comet_image* image) {
  const std::uint8_t* written = nullptr;
  std::size_t length = 0;
  comet_image* read = nullptr;
  require(comet_image_write(image, &written, &length, nullptr) == COMET_OK, "a valid image cannot be written");
  require(comet_image_read(written, length, &read, nullptr) == COMET_OK, "what was written cannot be read");
  const image_pointer again(read);
  const std::uint8_t* written_again = nullptr;
  std::size_t length_again = 0;
  comet_image_write(read, &written_again, &length_again, nullptr);
  require(length == length_again && std::memcmp(written, written_again, length) == 0,
          "an image written twice differs");
  comet_symbol symbol = COMET_SYMBOL_INIT;
  comet_line line = COMET_LINE_INIT;
  comet_expansion expansion = COMET_EXPANSION_INIT;
  comet_view view = COMET_VIEW_INIT;
  const std::uint64_t entry = comet_image_entry(image);
  comet_image_symbol_at(image, entry, &symbol, nullptr);
  comet_image_line_at(image, entry, &line, nullptr);
  comet_image_expansion_at(image, entry, 0, &expansion, nullptr);
  for (std::size_t n = 0; comet_image_view(image, n, &view, nullptr) == COMET_OK; ++n) {}
  char place[80];
  comet_describe_place(image, entry, place, sizeof place);
}

// A program with everything that an image can hold.
bytes whole_image(std::uint64_t seed) {
  random_source random(seed);
  const program what = random_program(random);
  comet_image* made = nullptr;
  if (comet_image_new(&made, nullptr) != COMET_OK) throw std::bad_alloc();
  const image_pointer image(made);
  comet_image_add_section(made, ".text", what.address, what.code.data(), what.code.size(), what.code.size(), 7, nullptr);
  comet_image_add_section(made, ".data", 0x20000, what.code.data(), what.code.size() / 2, 0x1000, 3, nullptr);
  comet_image_add_section(made, ".rodata", 0x30000, "const", 5, 5, 1, nullptr);
  comet_image_add_section(made, ".bss", 0x40000, nullptr, 0, 0x20000, 3, nullptr);
  comet_image_add_symbol(made, "main", what.address, nullptr);
  comet_image_add_symbol(made, "data", 0x20000, nullptr);
  for (std::size_t n = 0; n < what.starts.size() && n < 8; ++n) {
    const auto line = static_cast<std::uint32_t>(n + 1);
    comet_image_add_line(made, what.starts[n], "program.s", line, line, nullptr);
    if (n % 3 == 1) comet_image_add_expansion(made, what.starts[n], "twice", "macros.s", line, 1, nullptr);
  }
  comet_image_add_view(made, "data", "(array u64 4)", nullptr);
  for (const char* name : {"write", "random", "exit"}) comet_image_add_import(made, name, nullptr);
  for (const definition& each : what.definitions) {
    const comet_definition given = each.given();
    comet_image_add_instruction(made, &given, nullptr);
  }
  comet_image_set_entry(made, what.address, nullptr);
  const std::uint8_t* written = nullptr;
  std::size_t length = 0;
  if (comet_image_write(made, &written, &length, nullptr) != COMET_OK) throw std::runtime_error("no image to begin from");
  return bytes(written, written + length);
}

}  // namespace

std::vector<bytes> seeds() {
  std::vector<bytes> files;
  for (std::uint64_t n = 0; n < 8; ++n) files.push_back(whole_image(n));
  return files;
}

void seal(bytes& file) {
  put(file, 16, file.size(), 8);
  if (file.size() < checksum_length) return;
  const std::size_t checked = file.size() - checksum_length;
  put(file, checked, XXH3_64bits(file.data(), checked), checksum_length);
}

bytes draw(random_source& random, const std::vector<bytes>& from) {
  bytes file = from[random.below(from.size())];
  for (std::uint64_t changes = random.one_in(2) ? 1 : 1 + random.below(4); changes > 0 && !file.empty(); --changes) {
    // A field of the header, the table of chunks, or the first of a chunk, or anywhere.
    const std::size_t field = header_length + 24 * random.below(8) + 4 * random.below(6);
    damage(file, random.one_in(4) && field < file.size() ? field : random.below(file.size()), random, from);
  }
  if (!random.one_in(16)) seal(file);
  return file;
}

void report(std::ostream& out) {
  out << counts.refused << " refused, " << counts.valid << " valid, " << counts.not_loaded << " of these not loaded\n";
  for (int reason = 0; reason <= COMET_LIMIT; ++reason)
    if (counts.stopped[reason] != 0)
      out << "  ran: " << counts.stopped[reason] << " " << comet_reason_name(static_cast<comet_reason>(reason)) << "\n";
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t length) {
  using namespace fuzz;
  comet_image* read = nullptr;
  comet_error error = COMET_ERROR_INIT;
  comet_status status = COMET_OK;
  {
    const allocations taken;
    status = comet_image_read(input, length, &read, &error);
    require_modest(taken, length);
  }
  const image_pointer image(read);
  if (status == COMET_OK) {
    ++counts.valid;
    check_valid(read);
    run(read);
    return 0;
  }
  ++counts.refused;
  require(status == COMET_ERROR_FORMAT, "a damaged image is refused, but not with COMET_ERROR_FORMAT");
  require(error.address <= length, "the offset of an error lies behind the end of the file");
  require(error.message[0] != 0 && std::strchr(error.message, '\n') == nullptr, "a bad message");
  return 0;
}
