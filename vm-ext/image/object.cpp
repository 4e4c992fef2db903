// Reads objects and archives, which may be hostile: every number is held against the bytes that are left.
#include "object.h"

#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <cstring>
#include <set>

#include "../api/guard.h"
#include "checksum.h"
#include "format.h"
#include "text.h"

namespace comet {
namespace {

constexpr FileWords object_words{"object", "make it again", "record"};
constexpr FileWords archive_words{"archive", "make it again", "member"};
constexpr uint8_t object_magic[] = {0x89, 'C', 'M', 'O', '\r', '\n', 0x1a, '\n'};
constexpr char archive_magic[] = "!<arch>\n";
constexpr uint64_t memory_limit = uint64_t{1} << 30;  // of all sections together
constexpr size_t longest_member_name = 255;             // all members may have the same

void read_sections(ObjectFields& in, Object& object) {
  std::set<std::string_view> names;
  uint64_t total = 0;
  for (uint64_t left = in.take_count(0, 5, "sections"); left > 0; --left) {
    const uint64_t at = in.offset();
    ObjectSection& section = object.sections.emplace_back();
    section.name = in.take_text("a section's name");
    section.protection = static_cast<int>(in.take_below(8, "a protection"));
    if (in.take_below(4, "a section's flags") >= 2) section.address = in.take_leb("a section's address");
    section.length = in.take_below(memory_limit + 1, "a section's length");
    section.bytes = in.take_blob("a section's content");
    total += section.length;
    if (!names.insert(section.name).second) in.refuse("a section appears twice", at);
    if (section.bytes.size() > section.length) in.refuse("a section has more bytes than room", at);
    if (total > memory_limit) in.refuse("the sections together take more than 2^30 bytes", at);
  }
}

void read_symbols(ObjectFields& in, Object& object) {
  std::set<std::string_view> names;
  for (uint64_t left = in.take_count(0, 3, "symbols"); left > 0; --left) {
    const uint64_t at = in.offset();
    ObjectSymbol& symbol = object.symbols.emplace_back();
    symbol.name = in.take_text("a symbol's name");
    const uint64_t flags = in.take_below(16, "a symbol's flags");
    symbol.binding = static_cast<ObjectSymbol::Binding>(flags & 3);
    symbol.defined = (flags & 4) != 0;
    symbol.hidden = flags >= 8;
    const bool local = symbol.binding == ObjectSymbol::local;
    if ((flags & 3) == 3 || (local ? !symbol.defined : symbol.hidden))
      in.refuse("a symbol contradicts itself", at);
    if (!symbol.hidden && !names.insert(symbol.name).second) in.refuse("a symbol appears twice", at);
    if (!symbol.defined) continue;
    symbol.file = in.take_below(object.sources.size(), "the number of a file");
    symbol.line = in.take_below(uint64_t{1} << 32, "a line");
    symbol.column = in.take_below(uint64_t{1} << 32, "a column");
  }
}

void read_definitions(ObjectFields& in, Object& object) {
  for (uint64_t left = in.take_count(0, 5, "instructions"); left > 0; --left) {
    const uint64_t at = in.offset();
    const std::string_view name = in.take_text("an instruction's name");
    const uint64_t opcode = in.take_leb("an instruction's opcode");
    const std::span<const uint8_t> operands = in.take_blob("an instruction's operands");
    const std::string_view meaning = in.take_text("an instruction's meaning");
    const std::span<const uint8_t> body = in.take_blob("an instruction's body");
    in.attempt(at, [&] {
      object.definitions.push_back(
          isa::make_definition(opcode, name, {reinterpret_cast<const char*>(operands.data()), operands.size()},
                               meaning, body.data(), body.size()));
    });
  }
}

void read_sources(ObjectFields& in, Object& object) {
  for (uint64_t left = in.take_count(0, 2, "source files"); left > 0; --left)
    object.sources.push_back(in.take_text("a source file's name"));
}

void note_parts(ObjectFields& in, Object& object) {
  object.parts_offset = in.offset();
  object.parts_length = in.left();
  in.take_bytes(in.left(), "the parts");
}

constexpr struct {
  char type[5];
  void (*read)(ObjectFields&, Object&);
} chunks[] = {{"FILE", read_sources}, {"SECT", read_sections}, {"SYMB", read_symbols}, {"DEFN", read_definitions},
              {"PART", note_parts}};

void read_chunks(Object& object) {
  const std::span<const uint8_t> file = object.file;
  constexpr size_t first = format::header_length + std::size(chunks) * format::table_entry_length;
  ObjectFields in(file, 0, file.size(), "header");
  const uint8_t* magic = in.take_bytes(sizeof object_magic, "the beginning");
  if (std::memcmp(magic, object_magic, sizeof object_magic) != 0)
    fail(COMET_ERROR_FORMAT, 0, "this is neither an object nor an archive; comet-vm asm -c makes objects of sources");
  if (in.take(4, "the version") != 1) in.refuse("its format has another version than 1, which this library reads", 8);
  if (in.take(4, "the number of chunks") != std::size(chunks)) in.refuse("it has not five chunks", 12);
  if (in.take(8, "the length") != file.size())
    in.refuse("it has another length than it says", 16);
  if (file.size() < first + format::checksum_length) in.refuse("it ends within its table of chunks", file.size());
  const uint64_t end = file.size() - format::checksum_length;
  if (ObjectFields(file, end, format::checksum_length, "").take(8, "the checksum") != checksum_of(file.data(), end))
    in.refuse("the checksum is wrong", end);
  uint64_t at = first;
  for (const auto& chunk : chunks) {
    const uint64_t entry = in.offset();
    const uint8_t* type = in.take_bytes(4, "a chunk's type");
    const bool expected = std::memcmp(type, chunk.type, 4) == 0 && in.take(4, "a chunk's zeros") == 0;
    if (!expected) in.refuse("here stands another chunk than it should", entry);
    const uint64_t start = in.take(8, "a chunk's offset"), length = in.take(8, "a chunk's length");
    if (start != at || length > end - at)
      in.refuse("a chunk does not lie behind the one before it", entry + 8);
    ObjectFields content(file, start, length, std::string("chunk ") + chunk.type);
    chunk.read(content, object);
    content.expect_end();
    const uint64_t padding = std::min((0 - length) % format::alignment, end - start - length);
    ObjectFields(file, start + length, padding, "padding").take_zeros(padding);
    at = start + length + padding;
  }
  if (at != end) in.refuse("bytes stand behind the last chunk", at);
}

}  // namespace

ObjectFields::ObjectFields(std::span<const uint8_t> file, uint64_t offset, uint64_t length, std::string where)
    : Fields(object_words, file, offset, length, std::move(where)) {}

void ObjectFields::refuse(const char* what, uint64_t at) const { fail_at(at, "%s", what); }

Wide ObjectFields::take_integer() {
  __extension__ using Unsigned = unsigned __int128;
  const uint64_t at = offset();
  Unsigned value = 0;
  for (unsigned shift = 0; shift < 126; shift += 7) {
    const uint64_t byte = take(1, "a number");
    value |= Unsigned{byte & 0x7f} << shift;
    if (byte < 0x80) return static_cast<Wide>(value >> 1) ^ -static_cast<Wide>(value & 1);
  }
  refuse("a number has more than the 126 bits that this linker computes with", at);
}

uint64_t ObjectFields::take_below(uint64_t limit, const char* what) {
  const uint64_t at = offset(), value = take_leb(what);
  if (value >= limit)
    fail_at(at, "%s is %" PRIu64 ", expected less than %" PRIu64, what, value, limit);
  return value;
}

std::span<const uint8_t> ObjectFields::take_blob(const char* what) {
  const uint64_t length = take_leb(what);
  return {take_bytes(length, what), static_cast<size_t>(length)};
}

std::string_view ObjectFields::take_text(const char* what) {
  const uint64_t at = offset();
  const std::span<const uint8_t> bytes = take_blob(what);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!valid_name(text)) fail_at(at, "%s is empty, too long, or no UTF-8 without control characters", what);
  return text;
}

std::unique_ptr<Object> read_object(std::string_view name, const uint8_t* bytes, size_t length) {
  auto object = std::make_unique<Object>();
  object->name = name;
  object->file.assign(bytes, bytes + length);
  try {
    read_chunks(*object);
  } catch (const Failure& failure) {
    fail(failure.status, failure.address, "%s: %s", object->name.c_str(), failure.message);
  }
  return object;
}

bool is_archive(const uint8_t* bytes, size_t length) {
  return length >= 8 && std::memcmp(bytes, archive_magic, 8) == 0;
}

// The layout of GNU's ar, as asm/OBJECTS.md tells it.
std::vector<std::unique_ptr<Object>> read_archive(std::string_view name, const uint8_t* bytes, size_t length) {
  std::vector<std::unique_ptr<Object>> members;
  std::string_view long_names;
  Fields in(archive_words, {bytes, length}, 8, length - 8, std::string(name));
  const auto number = [&](std::string_view digits) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool blank = std::all_of(end, digits.data() + digits.size(), [](char c) { return c == ' '; });
    if (error != std::errc() || !blank) in.fail_at(in.offset(), "a number in the header of a member is none");
    return value;
  };
  while (in.left() > 0) {
    const uint64_t at = in.offset();
    const std::string_view header(reinterpret_cast<const char*>(in.take_bytes(60, "a member's header")), 60);
    if (!header.ends_with("`\n")) in.fail_at(in.offset() - 2, "the header of a member does not end as it should");
    const uint64_t count = number(header.substr(48, 10));
    const uint8_t* content = in.take_bytes(count, "a member");
    if (count % 2 != 0 && in.left() > 0) in.take_bytes(1, "a member's end");
    std::string_view member = header.substr(0, 16);
    member = member.substr(0, member.find_last_not_of(' ') + 1);
    if (member == "//") long_names = {reinterpret_cast<const char*>(content), static_cast<size_t>(count)};
    if (member == "//" || member == "/" || member == "/SYM64/") continue;
    if (member.starts_with('/')) {
      const uint64_t start = number(member.substr(1));
      member = long_names.substr(std::min<uint64_t>(start, long_names.size()), longest_member_name + 2);
      member = member.substr(0, member.find('\n'));
    }
    if (member.ends_with('/')) member.remove_suffix(1);
    if (member.size() > longest_member_name || !valid_name(member)) in.fail_at(at, "the name of a member is no file's");
    const std::string full = std::string(name) + "(" + std::string(member) + ")";
    members.push_back(read_object(full, content, static_cast<size_t>(count)));
  }
  return members;
}

}  // namespace comet
