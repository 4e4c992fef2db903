// Writes image files. Nothing in them depends on anything but the image's content: parts are sorted or in
// the image's own order, padding is zero, chunks that would be empty are left out.
#include <algorithm>
#include <cinttypes>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "../api/guard.h"
#include "checksum.h"
#include "definition_record.h"
#include "format.h"
#include "image.h"

namespace comet {
namespace {

class Writer {
 public:
  void reserve(size_t length) { bytes_.reserve(length); }
  void put(uint64_t value, size_t length) {
    for (size_t i = 0; i < length; ++i, value >>= 8) bytes_.push_back(static_cast<uint8_t>(value));
  }
  // In the place of bytes that were written before.
  void patch(size_t offset, uint64_t value, size_t length) {
    for (size_t i = 0; i < length; ++i, value >>= 8) bytes_[offset + i] = static_cast<uint8_t>(value);
  }
  void put_bytes(const uint8_t* bytes, size_t length) { bytes_.insert(bytes_.end(), bytes, bytes + length); }
  void put_name(std::string_view name) {
    put(name.size(), 2);
    put_bytes(reinterpret_cast<const uint8_t*>(name.data()), name.size());
  }
  void put_count(size_t count, const char* what) {
    if (count > UINT32_MAX) {  // beyond tests: takes more than 2^32 entries
      fail(COMET_ERROR_ARGUMENT, 0, "the image has %zu %s; the file format holds at most %" PRIu32, count,
           what, UINT32_MAX);
    }
    put(count, 4);
  }
  void align() {
    while (bytes_.size() % format::alignment != 0) bytes_.push_back(0);
  }
  std::vector<uint8_t> take() { return std::move(bytes_); }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

void write_entry(Writer& writer, const Image& image) {
  writer.put(image.entry(), 8);
}

void write_sections(Writer& writer, const Image& image) {
  writer.put_count(image.sections().size(), "sections");
  for (const Section& section : image.sections()) {
    writer.put(section.address, 8);
    writer.put(section.memory_length, 8);
    writer.put(section.bytes.size(), 8);
    writer.put(static_cast<uint64_t>(section.protection), 1);
    writer.put_name(section.name);
    writer.put_bytes(section.bytes.data(), section.bytes.size());
  }
}

void write_imports(Writer& writer, const Image& image) {
  writer.put_count(image.imports().size(), "imports");
  for (const std::string* name : image.imports()) writer.put_name(*name);
}

void write_instructions(Writer& writer, const Image& image) {
  const auto& all = image.isa().definitions.all();
  writer.put_count(all.size(), "instructions");
  for (const auto& each : all) put_definition(writer, *each);
}

void write_symbols(Writer& writer, const Image& image) {
  writer.put_count(image.symbols().size(), "symbols");
  for (const Symbol* symbol : image.symbols()) {
    writer.put(symbol->second, 8);
    writer.put_name(symbol->first);
  }
}

// Names that records share, numbered as the records, which are in order, name them first: so the order of
// adding does not show.
class Names {
 public:
  void note(const std::string* name) {
    if (numbers_.emplace(name, order_.size()).second) order_.push_back(name);
  }
  size_t number(const std::string* name) const { return numbers_.at(name); }
  void write(Writer& writer, const char* what) const {
    writer.put_count(order_.size(), what);
    for (const std::string* name : order_) writer.put_name(*name);
  }

 private:
  std::unordered_map<const std::string*, size_t> numbers_;
  std::vector<const std::string*> order_;
};

void write_lines(Writer& writer, const Image& image) {
  Names files;
  for (const Line& line : image.lines()) files.note(line.file);
  files.write(writer, "source files");
  writer.put_count(image.lines().size(), "source lines");
  for (const Line& line : image.lines()) {
    writer.put(line.address, 8);
    writer.put(files.number(line.file), 4);
    writer.put(line.line, 4);
    writer.put(line.column, 4);
  }
}

void write_views(Writer& writer, const Image& image) {
  writer.put_count(image.views().size(), "views");
  for (const View& view : image.views()) {
    writer.put_name(view.name);
    writer.put_name(view.description);
  }
}

void write_expansions(Writer& writer, const Image& image) {
  Names files;
  Names macros;
  for (const Expansion& expansion : image.expansions()) {
    files.note(expansion.file);
    macros.note(expansion.macro);
  }
  files.write(writer, "source files");
  macros.write(writer, "macros");
  writer.put_count(image.expansions().size(), "expansions");
  for (const Expansion& expansion : image.expansions()) {
    writer.put(expansion.address, 8);
    writer.put(macros.number(expansion.macro), 4);
    writer.put(files.number(expansion.file), 4);
    writer.put(expansion.line, 4);
    writer.put(expansion.column, 4);
  }
}

// About as long as the file becomes: so that of what is long, nothing is copied again while it grows.
size_t expected_length(const Image& image) {
  size_t length = 4096 + image.lines().size() * format::line_length +
                  image.expansions().size() * format::expansion_length;
  for (const Section& section : image.sections()) length += section.bytes.size();
  for (const Symbol* symbol : image.symbols()) length += format::shortest_symbol + symbol->first.size();
  return length;
}

}  // namespace

std::vector<uint8_t> write_image(const Image& image) {
  struct Chunk {
    uint32_t type;
    bool there;
    void (*write)(Writer&, const Image&);
  };
  const Chunk all[] = {
      {format::entry_chunk, true, write_entry},
      {format::imports_chunk, !image.imports().empty(), write_imports},
      {format::sections_chunk, true, write_sections},
      {format::instructions_chunk, !image.isa().definitions.empty(), write_instructions},
      {format::symbols_chunk, !image.symbols().empty(), write_symbols},
      {format::lines_chunk, !image.lines().empty(), write_lines},
      {format::expansions_chunk, !image.expansions().empty(), write_expansions},
      {format::views_chunk, !image.views().empty(), write_views},
  };
  const auto count =
      static_cast<size_t>(std::count_if(std::begin(all), std::end(all), [](const Chunk& chunk) { return chunk.there; }));

  Writer writer;
  writer.reserve(expected_length(image));
  writer.put_bytes(format::magic.data(), format::magic.size());
  writer.put(format::version, 4);
  writer.put(count, 4);
  const size_t total = writer.bytes().size();
  writer.put(0, 8);
  size_t entry = writer.bytes().size();
  for (size_t i = 0; i < count * format::table_entry_length; ++i) writer.put(0, 1);
  for (const Chunk& chunk : all) {
    if (!chunk.there) continue;
    const size_t begin = writer.bytes().size();
    chunk.write(writer, image);
    writer.patch(entry, chunk.type, 4);
    writer.patch(entry + 8, begin, 8);
    writer.patch(entry + 16, writer.bytes().size() - begin, 8);
    entry += format::table_entry_length;
    writer.align();
  }
  writer.patch(total, writer.bytes().size() + format::checksum_length, 8);
  writer.put(checksum_of(writer.bytes().data(), writer.bytes().size()), format::checksum_length);
  return writer.take();
}

}  // namespace comet
