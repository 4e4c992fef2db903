// Reads image files, which may be hostile. Every number is held against the bytes that are left before it
// is used, and nothing is allocated for a count that the file is too short for.
#include <algorithm>
#include <cinttypes>
#include <span>

#include "../api/guard.h"
#include "checksum.h"
#include "definition_record.h"
#include "fields.h"
#include "format.h"
#include "image.h"
#include "text.h"

namespace comet {
namespace {

std::string type_name(uint32_t type) {
  std::string letters;
  for (int i = 0; i < 4; ++i, type >>= 8) letters += static_cast<char>(type & 0xff);
  return letters;
}

bool upper_case(uint32_t letter) { return letter >= 'A' && letter <= 'Z'; }
bool lower_case(uint32_t letter) { return letter >= 'a' && letter <= 'z'; }

bool well_formed_type(uint32_t type) {
  for (int i = 0; i < 4; ++i, type >>= 8) {
    if (!upper_case(type & 0xff) && !lower_case(type & 0xff)) return false;
  }
  return true;
}

constexpr FileWords image_words{"image", "make it again", "record"};

class Reader : public Fields {
 public:
  Reader(std::span<const uint8_t> file, uint64_t offset, uint64_t length, std::string where)
      : Fields(image_words, file, offset, length, std::move(where)) {}
};

void read_entry(Reader& reader, Image& image) { image.set_entry(reader.take(8, "the entry address")); }

void read_sections(Reader& reader, Image& image) {
  const uint64_t count = reader.take_count(4, format::shortest_section, "sections");
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = reader.offset();
    const uint64_t address = reader.take(8, "a section's address");
    const uint64_t memory_length = reader.take(8, "a section's memory length");
    const uint64_t length = reader.take(8, "a section's length");
    const int protection = static_cast<int>(reader.take(1, "a section's protection"));
    const std::string_view name = reader.take_name("a section's name");
    const uint8_t* bytes = reader.take_bytes(length, "a section's content");
    reader.attempt(at, [&] {
      image.add_section(name, address, bytes, static_cast<size_t>(length), memory_length, protection);
    });
  }
}

void read_imports(Reader& reader, Image& image) {
  const uint64_t count = reader.take_count(4, format::shortest_name, "imports");
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = reader.offset();
    const std::string_view name = reader.take_name("an import's name");
    reader.attempt(at, [&] { image.add_import(name); });
  }
}

void read_instructions(Reader& reader, Image& image) {
  // What earlier writers left empty.
  if (reader.left() == 0) return;
  const uint64_t count = reader.take_count(4, shortest_definition, "instructions");
  take_definitions(reader, count,
                   [&](isa::Definition definition) { image.add_instruction(std::move(definition)); });
}

void read_symbols(Reader& reader, Image& image) {
  const uint64_t count = reader.take_count(4, format::shortest_symbol, "symbols");
  uint64_t last_value = 0;
  std::string_view last_name;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = reader.offset();
    const uint64_t value = reader.take(8, "a symbol's value");
    const std::string_view name = reader.take_name("a symbol's name");
    if (i > 0 && (value < last_value || (value == last_value && name < last_name))) {
      reader.fail_at(at, "symbol %s is out of order: they go by value, then by name", quoted(name).c_str());
    }
    reader.attempt(at, [&] { image.add_symbol(name, value); });
    last_value = value;
    last_name = name;
  }
}

std::vector<std::string_view> read_names(Reader& reader, const char* plural, const char* singular) {
  const uint64_t count = reader.take_count(4, format::shortest_name, plural);
  std::vector<std::string_view> names;
  names.reserve(static_cast<size_t>(count));
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = reader.offset();
    names.push_back(reader.take_name(singular));
    if (!valid_name(names.back()))
      reader.fail_at(at, "%s %s is not valid", singular, quoted(names.back()).c_str());
  }
  return names;
}

void read_expansions(Reader& reader, Image& image) {
  const std::vector<std::string_view> files = read_names(reader, "source files", "a source file's name");
  const std::vector<std::string_view> macros = read_names(reader, "macros", "a macro's name");
  const uint64_t count = reader.take_count(4, format::expansion_length, "expansions");
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = reader.offset();
    const uint64_t address = reader.take(8, "an expansion");
    const uint64_t macro = reader.take(4, "an expansion");
    const uint64_t file = reader.take(4, "an expansion");
    const uint32_t line = static_cast<uint32_t>(reader.take(4, "an expansion"));
    const uint32_t column = static_cast<uint32_t>(reader.take(4, "an expansion"));
    if (macro >= macros.size() || file >= files.size()) {
      reader.fail_at(at, "an expansion names macro number %" PRIu64 " of %zu and file number %" PRIu64 " of %zu", macro,
                     macros.size(), file, files.size());
    }
    reader.attempt(at, [&] { image.add_expansion(address, macros[macro], files[file], line, column); });
  }
}

void read_views(Reader& reader, Image& image) {
  const uint64_t count = reader.take_count(4, 2 * format::shortest_name, "views");
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = reader.offset();
    const std::string_view name = reader.take_name("a view's name");
    const std::string_view description = reader.take_name("a view's description");
    reader.attempt(at, [&] { image.add_view(name, description); });
  }
}

void read_lines(Reader& reader, Image& image) {
  const uint64_t file_count = reader.take_count(4, format::shortest_name, "source files");
  std::vector<const std::string*> files;
  files.reserve(static_cast<size_t>(file_count));
  for (uint64_t i = 0; i < file_count; ++i) {
    const uint64_t at = reader.offset();
    const std::string_view name = reader.take_name("a source file's name");
    reader.attempt(at, [&] { files.push_back(image.add_file(name)); });
  }
  const uint64_t line_count = reader.take_count(4, format::line_length, "source lines");
  uint64_t last_address = 0;
  for (uint64_t i = 0; i < line_count; ++i) {
    const uint64_t at = reader.offset();
    const uint64_t address = reader.take(8, "a source line");
    const uint64_t file = reader.take(4, "a source line");
    const uint32_t line = static_cast<uint32_t>(reader.take(4, "a source line"));
    const uint32_t column = static_cast<uint32_t>(reader.take(4, "a source line"));
    if (file >= files.size())
      reader.fail_at(at, "a source line names file number %" PRIu64 " of %zu", file, files.size());
    if (i > 0 && address <= last_address)
      reader.fail_at(at, "source lines are not in ascending order of addresses");
    reader.attempt(at, [&] { image.add_line(address, files[static_cast<size_t>(file)], line, column); });
    last_address = address;
  }
}

struct ChunkKind {
  uint32_t type;
  bool required;
  void (*read)(Reader&, Image&);
};

constexpr ChunkKind chunk_kinds[] = {
    {format::entry_chunk, true, read_entry},
    {format::sections_chunk, true, read_sections},
    {format::imports_chunk, false, read_imports},
    {format::instructions_chunk, false, read_instructions},
    {format::symbols_chunk, false, read_symbols},
    {format::lines_chunk, false, read_lines},
    {format::expansions_chunk, false, read_expansions},
    {format::views_chunk, false, read_views},
};

void check_magic(std::span<const uint8_t> file) {
  const auto& magic = format::magic;
  if (file.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.begin())) return;
  if (file.size() >= 4 && std::equal(magic.begin() + 1, magic.begin() + 4, file.begin() + 1)) {
    fail(COMET_ERROR_FORMAT, 0,
         "the image was damaged on its way (the first 8 bytes show a transfer in text mode or a cut); copy "
         "it again, "
         "in binary mode");
  }
  fail(COMET_ERROR_FORMAT, 0,
       "not a Comet image: the first 8 bytes are not 89 43 4d 54 0d 0a 1a 0a; give a file that the assembler "
       "wrote");
}

// Checks the header and gives the number of chunks.
uint64_t read_header(std::span<const uint8_t> file) {
  check_magic(file);
  constexpr size_t shortest = format::header_length + format::checksum_length;
  if (file.size() < shortest) {
    fail(COMET_ERROR_FORMAT, file.size(), "the image ends after %zu bytes, inside its header; copy it again",
         file.size());
  }
  Reader reader(file, format::magic.size(), format::header_length - format::magic.size(), "header");
  const uint64_t version = reader.take(4, "the version");
  if (version != format::version) {
    fail(COMET_ERROR_FORMAT, format::magic.size(),
         "the image has version %" PRIu64 " of the format, this library reads version %" PRIu32
         "; use a matching Comet VM or assemble it again",
         version, format::version);
  }
  const uint64_t chunk_count = reader.take(4, "the number of chunks");
  const uint64_t length_offset = reader.offset();
  const uint64_t length = reader.take(8, "the length");
  if (length != file.size()) {
    fail(COMET_ERROR_FORMAT, length_offset,
         "the image says it has %" PRIu64 " bytes but %zu are here; copy it again", length, file.size());
  }
  if (length % format::alignment != 0) {
    fail(COMET_ERROR_FORMAT, length_offset,
         "the image has %" PRIu64 " bytes, not a multiple of 8; copy it again", length);
  }
  const size_t checked = file.size() - format::checksum_length;
  Reader trailer(file, checked, format::checksum_length, "checksum");
  const uint64_t expected = trailer.take(format::checksum_length, "the checksum");
  const uint64_t actual = checksum_of(file.data(), checked);
  if (expected != actual) {
    fail(COMET_ERROR_FORMAT, checked,
         "the image is damaged: its checksum is %016" PRIx64 " where %016" PRIx64
         " is written; copy or assemble it again",
         actual, expected);
  }
  return chunk_count;
}

void check_zero(std::span<const uint8_t> file, uint64_t from, uint64_t to, const Reader& table) {
  for (uint64_t offset = from; offset < to; ++offset) {
    if (file[static_cast<size_t>(offset)] != 0) table.fail_at(offset, "a byte between chunks is not 0");
  }
}

}  // namespace

void read_image(const uint8_t* bytes, size_t length, Image& image) {
  const std::span<const uint8_t> file(bytes, length);
  const uint64_t chunk_count = read_header(file);
  const uint64_t content_end = length - format::checksum_length;

  Reader table(file, format::header_length, content_end - format::header_length, "table of chunks");
  if (chunk_count > table.left() / format::table_entry_length) {
    table.fail_at(format::magic.size() + 4, "%" PRIu64 " chunks do not fit into the file", chunk_count);
  }

  bool seen[std::size(chunk_kinds)] = {};
  uint64_t last_end = format::header_length + chunk_count * format::table_entry_length;
  for (uint64_t i = 0; i < chunk_count; ++i) {
    const uint64_t at = table.offset();
    const uint32_t type = static_cast<uint32_t>(table.take(4, "a chunk's type"));
    const uint64_t reserved = table.take(4, "a chunk's zero field");
    const uint64_t offset = table.take(8, "a chunk's offset");
    const uint64_t chunk_length = table.take(8, "a chunk's length");
    if (!well_formed_type(type)) table.fail_at(at, "a chunk's type is not four ASCII letters");
    const std::string name = type_name(type);
    if (reserved != 0) table.fail_at(at + 4, "the field behind the type of chunk %s is not 0", name.c_str());
    if (offset % format::alignment != 0 || offset < last_end) {
      table.fail_at(at + 8,
                    "chunk %s begins at offset %" PRIu64
                    ", which is not a multiple of 8 behind the chunk before it (%" PRIu64 ")",
                    name.c_str(), offset, last_end);
    }
    if (offset > content_end || chunk_length > content_end - offset) {
      table.fail_at(at + 16, "chunk %s ends behind the end of the content (%" PRIu64 ")", name.c_str(), content_end);
    }
    check_zero(file, last_end, offset, table);
    last_end = offset + chunk_length;

    const auto* kind = std::find_if(std::begin(chunk_kinds), std::end(chunk_kinds),
                                    [&](const ChunkKind& known) { return known.type == type; });
    if (kind == std::end(chunk_kinds)) {
      if (lower_case(type & 0xff)) continue;
      fail(COMET_ERROR_FORMAT, at,
           "the image needs what chunk %s brings (table of chunks, offset %" PRIu64
           "), which this library does not know; use a newer Comet VM",
           name.c_str(), at);
    }
    bool& known = seen[kind - std::begin(chunk_kinds)];
    if (known) table.fail_at(at, "there are two chunks %s", name.c_str());
    known = true;
    Reader chunk(file, offset, chunk_length, "chunk " + name);
    kind->read(chunk, image);
    chunk.expect_end();
  }
  check_zero(file, last_end, content_end, table);
  for (const ChunkKind& kind : chunk_kinds) {
    if (kind.required && !seen[&kind - std::begin(chunk_kinds)]) {
      table.fail_at(format::header_length, "there is no chunk %s", type_name(kind.type).c_str());
    }
  }
}

}  // namespace comet
