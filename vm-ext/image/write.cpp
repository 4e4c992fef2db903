// Writes image files. Nothing in them depends on anything but the image's content: parts are sorted or in
// the image's own order, padding is zero, chunks that would be empty are left out.
#include <algorithm>
#include <cinttypes>
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
  void put(uint64_t value, size_t length) {
    for (size_t i = 0; i < length; ++i, value >>= 8) bytes_.push_back(static_cast<uint8_t>(value));
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

std::vector<uint8_t> write_entry(const Image& image) {
  Writer writer;
  writer.put(image.entry(), 8);
  return writer.take();
}

std::vector<uint8_t> write_sections(const Image& image) {
  Writer writer;
  writer.put_count(image.sections().size(), "sections");
  for (const Section& section : image.sections()) {
    writer.put(section.address, 8);
    writer.put(section.memory_length, 8);
    writer.put(section.bytes.size(), 8);
    writer.put(static_cast<uint64_t>(section.protection), 1);
    writer.put_name(section.name);
    writer.put_bytes(section.bytes.data(), section.bytes.size());
  }
  return writer.take();
}

std::vector<uint8_t> write_imports(const Image& image) {
  Writer writer;
  writer.put_count(image.imports().size(), "imports");
  for (const std::string* name : image.imports()) writer.put_name(*name);
  return writer.take();
}

std::vector<uint8_t> write_instructions(const Image& image) {
  Writer writer;
  const auto& all = image.isa().definitions.all();
  writer.put_count(all.size(), "instructions");
  for (const auto& each : all) put_definition(writer, *each);
  return writer.take();
}

std::vector<uint8_t> write_symbols(const Image& image) {
  Writer writer;
  writer.put_count(image.symbols().size(), "symbols");
  for (const Symbol* symbol : image.symbols()) {
    writer.put(symbol->second, 8);
    writer.put_name(symbol->first);
  }
  return writer.take();
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

std::vector<uint8_t> write_lines(const Image& image) {
  Names files;
  for (const Line& line : image.lines()) files.note(line.file);
  Writer writer;
  files.write(writer, "source files");
  writer.put_count(image.lines().size(), "source lines");
  for (const Line& line : image.lines()) {
    writer.put(line.address, 8);
    writer.put(files.number(line.file), 4);
    writer.put(line.line, 4);
    writer.put(line.column, 4);
  }
  return writer.take();
}

std::vector<uint8_t> write_views(const Image& image) {
  Writer writer;
  writer.put_count(image.views().size(), "views");
  for (const View& view : image.views()) {
    writer.put_name(view.name);
    writer.put_name(view.description);
  }
  return writer.take();
}

std::vector<uint8_t> write_expansions(const Image& image) {
  Names files;
  Names macros;
  for (const Expansion& expansion : image.expansions()) {
    files.note(expansion.file);
    macros.note(expansion.macro);
  }
  Writer writer;
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
  return writer.take();
}

}  // namespace

std::vector<uint8_t> write_image(const Image& image) {
  std::vector<std::pair<uint32_t, std::vector<uint8_t>>> chunks;
  chunks.emplace_back(format::entry_chunk, write_entry(image));
  if (!image.imports().empty()) chunks.emplace_back(format::imports_chunk, write_imports(image));
  chunks.emplace_back(format::sections_chunk, write_sections(image));
  if (!image.isa().definitions.empty()) chunks.emplace_back(format::instructions_chunk, write_instructions(image));
  if (!image.symbols().empty()) chunks.emplace_back(format::symbols_chunk, write_symbols(image));
  if (!image.lines().empty()) chunks.emplace_back(format::lines_chunk, write_lines(image));
  if (!image.expansions().empty()) chunks.emplace_back(format::expansions_chunk, write_expansions(image));
  if (!image.views().empty()) chunks.emplace_back(format::views_chunk, write_views(image));

  const auto aligned = [](uint64_t offset) {
    return (offset + format::alignment - 1) / format::alignment * format::alignment;
  };
  const uint64_t first = format::header_length + chunks.size() * format::table_entry_length;
  uint64_t total = first;
  for (const auto& [type, bytes] : chunks) total = aligned(total + bytes.size());
  total += format::checksum_length;

  Writer writer;
  writer.put_bytes(format::magic.data(), format::magic.size());
  writer.put(format::version, 4);
  writer.put(chunks.size(), 4);
  writer.put(total, 8);
  uint64_t offset = first;
  for (const auto& [type, bytes] : chunks) {
    writer.put(type, 4);
    writer.put(0, 4);
    writer.put(offset, 8);
    writer.put(bytes.size(), 8);
    offset = aligned(offset + bytes.size());
  }
  for (const auto& [type, bytes] : chunks) {
    writer.put_bytes(bytes.data(), bytes.size());
    writer.align();
  }
  writer.put(image_checksum(writer.bytes().data(), writer.bytes().size()), format::checksum_length);
  return writer.take();
}

}  // namespace comet
