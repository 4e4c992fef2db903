// Objects and archives. A damaged one is refused with an error, when it is read or when it is linked, or it is linked: then
// the image can be read, and linking once more gives the same.
#include <cstring>
#include <memory>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "../vm-ext/objects.h"
#include "allocations.h"
#include "damage.h"

namespace fuzz {
namespace {

using namespace objects_by_hand;

constexpr std::size_t header_length = 24, table_end = header_length + 5 * 24;
constexpr std::size_t checksum_length = 8;

struct deleter {
  void operator()(comet_image* image) const { comet_image_free(image); }
  void operator()(comet_linker* linker) const { comet_linker_free(linker); }
};
using image_pointer = std::unique_ptr<comet_image, deleter>;

struct {
  std::uint64_t not_read, not_linked, linked;
} counts;

void check_refusal(comet_status status, const comet_error& error) {
  require(status == COMET_ERROR_FORMAT, "a damaged object is refused, but not with COMET_ERROR_FORMAT");
  require(error.message[0] != 0 && std::strchr(error.message, '\n') == nullptr, "a bad message");
}

bytes written(comet_image* image) {
  const std::uint8_t* file = nullptr;
  std::size_t length = 0;
  require(comet_image_write(image, &file, &length, nullptr) == COMET_OK, "what was linked cannot be written");
  return bytes(file, file + length);
}

// All that an object can hold.
Piece whole_object() {
  Chunks chunks;
  chunks.files = of({2}) + text("x.s") + text("dir/macros.s");
  chunks.sections = of({2}) + text(".text") + of({5, 0, 40, 4, 1, 1, 1, 1}) + text(".data") + of({3, 3}) + leb(0x80000) + of({9, 0});
  chunks.symbols = of({4}) + defined("f", global) + defined("x", weak) + defined("y", local) + needed("z", 2);
  chunks.definitions = of({1}) + text("twice") + leb(1024) + of({0}) + text("nothing") + of({3, 0, 1, 1});
  const Piece address = of({4, 2, 8, 2}) + symbol(0) + of({1}) + symbol(2);
  chunks.parts = statement + label(0) + jump_to(1) + of({6}) + text("write") + of({8}) + symbol(0);
  chunks.parts += of({3, 1}) + address + of({0}) + of({3, 2}) + operation(12, symbol(0), integer(9)) + of({1});
  for (int number = 0; number < 6; ++number) chunks.parts += directive(number, {integer(3), operation(6, symbol(0), integer(15))});
  chunks.parts += directive(6, {integer(3), integer(7)}) + directive(7, {integer(2)}) + directive(8, {integer(2), integer(4), symbol(2)});
  chunks.parts += directive(9, {integer(8)}) + directive(10, {of({4, 1}) + leb(400) + of({2}) + symbol(0)}) + directive(11, {operation(15, symbol(0), integer(5)), of({5}) + text("no")});
  chunks.parts += of({4, 0, 2, 1, 5, 10, 2}) + text("exit") + of({7, 0, 0, 3, 1, 1}) + text("twice") + of({1, 4, 2});
  chunks.parts += of({9}) + text("y") + text("u64") + of({10, 0, 0, 2, 1, 6, 2, 1, 1, 2, 0, 5}) + of({0, 1}) + of({1, 1, 0, 2, 1, 0});
  return object(chunks);
}

bytes to_bytes(const Piece& piece) { return bytes(piece.begin(), piece.end()); }

}  // namespace

std::vector<bytes> seeds() {
  return {to_bytes(whole_object()), to_bytes(object(calls)), to_bytes(object(defines)),
          to_bytes(archive({{"//", "a-rather-long-name.o/\n"}, {"/0", object(defines)}, {"c.o/", object(calls)}, {"w.o/", whole_object()}}))};
}

// An object's; the members of an archive keep theirs.
void seal(bytes& file) {
  if (file.size() < header_length + checksum_length || file[0] == '!') return;
  put(file, 16, file.size(), 8);
  const std::size_t checked = file.size() - checksum_length;
  put(file, checked, XXH3_64bits(file.data(), checked), checksum_length);
}

bytes draw(random_source& random, const std::vector<bytes>& from) {
  bytes file = from[random.below(from.size())];
  for (std::uint64_t changes = random.one_in(2) ? 1 : 1 + random.below(4); changes > 0 && !file.empty(); --changes)
    // Mostly behind the table of chunks.
    damage(file, !random.one_in(4) && file.size() > table_end ? table_end + random.below(file.size() - table_end) : random.below(file.size()), random, from);
  if (!random.one_in(16)) seal(file);
  return file;
}

void report(std::ostream& out) {
  out << counts.not_read << " refused, " << counts.not_linked << " read and not linked, " << counts.linked << " linked\n";
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t length) {
  using namespace fuzz;
  comet_linker* made = nullptr;
  require(comet_linker_new(&made, nullptr) == COMET_OK, "no linker");
  const std::unique_ptr<comet_linker, deleter> linker(made);
  comet_error error = COMET_ERROR_INIT;
  comet_status status = COMET_OK;
  {
    const allocations taken;
    status = comet_linker_add(made, "x.o", input, length, &error);
    require_modest(taken, length);
  }
  if (status != COMET_OK) {
    ++counts.not_read;
    check_refusal(status, error);
    require(error.address <= length, "the offset of an error lies behind the end of the file");
    return 0;
  }
  // Beside one that needs what it may define.
  const Piece other = object(calls);
  require(comet_linker_add(made, "calls.o", other.data(), other.size(), &error) == COMET_OK, error.message);
  comet_image* image = nullptr;
  status = comet_linker_link(made, nullptr, &image, &error);
  if (status != COMET_OK) {
    ++counts.not_linked;
    check_refusal(status, error);
    return 0;
  }
  const image_pointer first(image);
  ++counts.linked;
  const bytes file = written(image);
  comet_image* again = nullptr;
  require(comet_image_read(file.data(), file.size(), &again, &error) == COMET_OK, error.message);
  const image_pointer read(again);
  require(comet_linker_link(made, nullptr, &again, &error) == COMET_OK, "linking once more fails");
  const image_pointer second(again);
  require(written(again) == file, "linking once more gives something else");
  return 0;
}
